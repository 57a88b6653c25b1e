/**
 * Facts about one version of a chart. `npm run catalog:add` derives them from the chart: it renders the chart with its
 * own values files, and once more for each Boolean value of values.yaml with the opposite value.
 */
export interface ChartFacts {
  readonly chart: string;
  readonly version: string;
  readonly appVersion: string;
  /** Range of Kubernetes versions that the chart accepts (Chart.yaml, `kubeVersion`); null if there is none. */
  readonly kubeVersion: string | null;
  /**
   * Objects that the chart renders, by their API version and kind, such as `apps/v1 Deployment`. In a name, `{release}`
   * is the name of the Helm release. An object outside of the release's namespace has the name `namespace/name`.
   */
  readonly objects: ObjectNames;
  /** Objects that the chart renders only with other values than the default. */
  readonly optional: ObjectNames;
  /** Objects of `objects` and `optional` that are hooks. Helm before version 4 does not pass hooks to post-renderers. */
  readonly hooks: ObjectNames;
  /** Images of the containers with the default values. */
  readonly images: readonly string[];
  /** Container ports, by `kind/name/container`. */
  readonly ports: Readonly<Record<string, readonly number[]>>;
  /** API versions that each CRD serves, by the name of the CRD. */
  readonly crds: Readonly<Record<string, readonly string[]>>;
  /** Whether the chart writes the release's namespace into `metadata.namespace` of its objects. */
  readonly rendersNamespace: boolean;
  /** Keys of the chart's values. */
  readonly values: ValueKeys;
  /** Dotted paths of values in the chart's values files that none of its templates reads. */
  readonly unread: readonly string[];
}

export type ObjectNames = Readonly<Record<string, readonly string[]>>;

/**
 * Keys that a chart reads. If a key has `null`, the chart reads a single value or a map with any keys. If a key has a
 * map, the chart reads only the keys in this map.
 */
export interface ValueKeys {
  readonly [key: string]: ValueKeys | null;
}
