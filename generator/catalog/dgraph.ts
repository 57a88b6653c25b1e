/**
 * Facts about the versions of Dgraph's chart. To add a version, add it to `dgraphCharts` (newest first) and to the enum
 * `dgraph.chart` in schema/environment.schema.json, and run the tests.
 *
 * Source: dgraph-io/charts at the tag `dgraph-<version>` (values.yaml, templates).
 */
import { dgraphApi21, dgraphApi25 } from "./dgraph-api.ts";
import type { GrpcService } from "./grpc.ts";
import type { Image } from "./image.ts";

export type DgraphChartVersion = "0.0.17" | "0.0.20" | "0.3.0" | "24.1.4" | "25.0.0-preview6";

export type DgraphRole = "alpha" | "zero";

/**
 * TCP ports of Dgraph's pods (dgraph chart, containerPorts; the same in all versions). Dgraph's own pods use the port
 * `internal` for Raft and replication. Administrators use Zero's port `http`.
 */
export const dgraphPorts: {
  readonly alpha: { readonly http: number; readonly grpc: number; readonly internal: number };
  readonly zero: { readonly http: number; readonly internal: number };
} = { alpha: { http: 8080, grpc: 9080, internal: 7080 }, zero: { http: 6080, internal: 5080 } };

export interface DgraphChart {
  readonly version: DgraphChartVersion;
  /** Tag of the chart's Dgraph image. */
  readonly appVersion: string;
  /**
   * Format of the files on the volumes. Releases of one major version have the same format. Between major versions, the
   * format can change, so Dgraph's documentation requires an export and an import (docs.dgraph.io, "Upgrade Database").
   */
  readonly dataFormat: string;
  /**
   * The service `api.Dgraph` of the chart's Dgraph release. See `dgraphApi25` for the methods that the preview does not
   * have.
   */
  readonly api: GrpcService;
  readonly traits: {
    /** How annotations are set on the pod templates. The value `alpha.extraAnnotations` exists from chart 0.0.18 on. */
    readonly podAnnotations: "value" | "patch";
    /**
     * Whether the chart renders `metadata.namespace`. A patch must set the namespace if the chart renders it, and must
     * omit the namespace otherwise.
     */
    readonly rendersNamespace: boolean;
    /** Service account of the Alpha and Zero pods. */
    readonly serviceAccount: "default" | "dgraph";
  };
}

const current: DgraphChart["traits"] = { podAnnotations: "value", rendersNamespace: true, serviceAccount: "dgraph" };

/** All chart versions in the catalog, newest first. */
export const dgraphCharts: readonly DgraphChart[] = [
  { version: "25.0.0-preview6", appVersion: "v25.0.0-preview6", dataFormat: "v25", api: dgraphApi25, traits: current },
  { version: "24.1.4", appVersion: "v24.1.4", dataFormat: "v24", api: dgraphApi21, traits: current },
  { version: "0.3.0", appVersion: "v23.1.0", dataFormat: "v23", api: dgraphApi21, traits: current },
  {
    version: "0.0.20",
    appVersion: "v22.0.2",
    dataFormat: "v22",
    api: dgraphApi21,
    traits: { ...current, rendersNamespace: false },
  },
  {
    version: "0.0.17",
    appVersion: "v21.03.0",
    dataFormat: "v21",
    api: dgraphApi21,
    traits: { podAnnotations: "patch", rendersNamespace: false, serviceAccount: "default" },
  },
];

/** Returns the chart with the given version. */
export function dgraphChart(version: DgraphChartVersion): DgraphChart {
  const chart = dgraphCharts.find((candidate) => candidate.version === version);
  if (chart === undefined) throw new Error(`the catalog has no Dgraph chart ${version}`);
  return chart;
}

/** Returns the images that the chart runs with the values that meshops sets. */
export function dgraphImages(chart: DgraphChart): readonly Image[] {
  return [{ name: "docker.io/dgraph/dgraph", tag: chart.appVersion, runs: "pod" }];
}
