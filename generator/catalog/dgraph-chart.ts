/** Entry in catalog/dgraph/ for one version of Dgraph's chart. */
export interface DgraphChartData {
  readonly version: string;
  /** Tag of the chart's Dgraph image. */
  readonly appVersion: string;
  /**
   * Version of the format of the files on the volumes. Dgraph's documentation requires an export and an import for
   * every upgrade, because this format can change (docs.dgraph.io, "Upgrade Database"). Releases of one major version
   * keep the format.
   */
  readonly dataFormat: string;
  /** The service `api.Dgraph` of the chart's Dgraph release (`dgraph-api.ts`). */
  readonly api: "dgraphApi21" | "dgraphApi25";
  readonly traits: {
    /**
     * How meshops sets annotations on the pod templates. `value`: with the chart values `alpha.extraAnnotations` and
     * `zero.extraAnnotations`. `patch`: with a patch, because the value `alpha.extraAnnotations` exists only from chart
     * 0.0.18 on.
     */
    readonly podAnnotations: "value" | "patch";
    /**
     * Whether the chart renders `metadata.namespace`. If true, a patch without a target must contain the namespace of
     * the patched object. If false, such a patch must omit the namespace.
     */
    readonly rendersNamespace: boolean;
    /** Service account of the Alpha and Zero pods. */
    readonly serviceAccount: "default" | "dgraph";
  };
}
