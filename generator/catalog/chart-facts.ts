/**
 * Facts about one version of a chart. `npm run catalog:add` derives these facts from the chart. The script renders the
 * chart with the chart's own values files. For each Boolean value of values.yaml, the script also renders the chart
 * with the opposite value.
 */
export interface ChartFacts {
  readonly chart: string;
  readonly version: string;
  readonly appVersion: string;
  /**
   * Range of Kubernetes versions that the chart accepts (Chart.yaml, `kubeVersion`); null if the chart accepts all
   * versions.
   */
  readonly kubeVersion: string | null;
  /**
   * Objects that the chart renders, by their API version and kind, such as `apps/v1 Deployment`. In a name, `{release}`
   * is the name of the Helm release. An object outside of the release's namespace has the name `namespace/name`.
   */
  readonly objects: ObjectNames;
  /** Objects that the chart renders only if some values differ from the defaults. */
  readonly optional: ObjectNames;
  /** Names from `objects` and `optional` that are Helm hooks. Helm 3 does not pass hooks to post-renderers. */
  readonly hooks: ObjectNames;
  /** Images of the containers that the chart renders with its default values. */
  readonly images: readonly string[];
  /** Container ports, by `kind/name/container`. */
  readonly ports: Readonly<Record<string, readonly number[]>>;
  /** API versions that each CRD serves, by the name of the CRD. */
  readonly crds: Readonly<Record<string, readonly string[]>>;
  /** Whether the chart writes the release's namespace into `metadata.namespace` of its objects. */
  readonly rendersNamespace: boolean;
  /** Keys of the values that the chart reads. */
  readonly values: ValueKeys;
  /** Dotted paths of values that exist in the chart's values files, but that no template of the chart reads. */
  readonly unread: readonly string[];
}

export type ObjectNames = Readonly<Record<string, readonly string[]>>;

/**
 * Keys that a chart reads. If the entry of a key is `null`, the chart reads a single value or a map with any keys. If
 * the entry is a map, the chart reads only the keys in this map.
 */
export interface ValueKeys {
  readonly [key: string]: ValueKeys | null;
}
