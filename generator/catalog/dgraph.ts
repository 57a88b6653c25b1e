/**
 * Facts about the versions of Dgraph's chart. `npm run catalog:add -- dgraph <version>` derives an entry from the
 * chart, and writes the entry to generator/catalog/dgraph/.
 *
 * Source: dgraph-io/charts at the tag `dgraph-<version>` (values.yaml, templates).
 */
import { dgraphApi21, dgraphApi25 } from "./dgraph-api.ts";
import type { DgraphChartData } from "./dgraph-chart.ts";
import type { GrpcService } from "./grpc.ts";
import type { Image } from "./image.ts";
import { charts } from "./releases.generated.ts";

export type DgraphRole = "alpha" | "zero";

/**
 * TCP ports of Dgraph's pods (dgraph chart, containerPorts; the same in all versions). Dgraph's own pods use the port
 * `internal` for Raft and replication. Administrators use Zero's port `http`.
 */
export const dgraphPorts: {
  readonly alpha: { readonly http: number; readonly grpc: number; readonly internal: number };
  readonly zero: { readonly http: number; readonly internal: number };
} = { alpha: { http: 8080, grpc: 9080, internal: 7080 }, zero: { http: 6080, internal: 5080 } };

/**
 * Facts about a version of Dgraph's chart, with the definition of the gRPC service `api.Dgraph`. For the methods that
 * v25.0.0-preview6 does not have in this service, see `dgraphApi25`.
 */
export interface DgraphChart extends Omit<DgraphChartData, "api"> {
  readonly api: GrpcService;
}

const apis: Readonly<Record<DgraphChartData["api"], GrpcService>> = { dgraphApi21, dgraphApi25 };

/** All chart versions in the catalog, newest first. */
export const dgraphCharts: readonly DgraphChart[] = charts.map((chart) => ({ ...chart, api: apis[chart.api] }));

/**
 * Oldest chart version that can be used without an entry in the catalog. From this version on, a chart has the same
 * version number as its Dgraph release (dgraph-io/charts, Chart.yaml at the tags dgraph-0.3.0 to
 * dgraph-25.0.0-preview6).
 */
const firstUntested = "24.0.0";

/** Whether the catalog contains the chart version. Each entry of the catalog has been compared with its chart. */
export function isKnownDgraphChart(version: string): boolean {
  return dgraphCharts.some((chart) => chart.version === version);
}

/**
 * Returns the chart with the given version. If the catalog does not contain the version, returns a copy of the nearest
 * older chart. The copy has the given version, and the image of this version.
 *
 * @throws Error if the catalog does not contain the version, and the version is older than `firstUntested`
 */
export function dgraphChart(version: string): DgraphChart {
  const chart = findDgraphChart(version);
  if (chart === null) throw new Error(`the catalog has no Dgraph chart ${version}`);
  return chart;
}

/** Like `dgraphChart`, but returns null instead of throwing an error. */
export function findDgraphChart(version: string): DgraphChart | null {
  return dgraphCharts.find((candidate) => candidate.version === version) ?? untestedChart(version);
}

function untestedChart(version: string): DgraphChart | null {
  const nearest = nearestDgraphChart(version);
  if (nearest === null || compareVersions(version, firstUntested) < 0) return null;
  return { ...nearest, version, appVersion: `v${version}`, dataFormat: `v${version.split(".")[0]}` };
}

/**
 * Returns the newest chart of the catalog that is not newer than the given version. If the given version is 24.0.0 or
 * later, the function considers only charts with version 24.0.0 or later. If all these charts are newer than the given
 * version, the function returns the oldest of these charts. If the given version is older than 24.0.0 and older than
 * all charts, the function returns null.
 */
export function nearestDgraphChart(version: string): DgraphChart | null {
  const since = dgraphCharts.filter((chart) => compareVersions(chart.version, firstUntested) >= 0);
  const known = compareVersions(version, firstUntested) < 0 ? dgraphCharts : since;
  return known.find((chart) => compareVersions(chart.version, version) <= 0) ?? (known === since ? (since.at(-1) ?? null) : null);
}

/**
 * Compares two versions by semantic versioning. A preview is older than its release. Returns a negative number if `a`
 * is older than `b`.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => {
    const [numbers = "", preview] = version.split("-");
    return [...numbers.split(".").map(Number), preview === undefined ? 1 : 0, Number(/\d+$/.exec(preview ?? "")?.[0] ?? 0)];
  });
  const at = (left ?? []).findIndex((number, index) => number !== right?.[index]);
  return at === -1 ? 0 : (left?.[at] ?? 0) - (right?.[at] ?? 0);
}

/** Returns the images that the chart runs with the values that meshops sets. */
export function dgraphImages(chart: DgraphChart): readonly Image[] {
  return [{ name: "docker.io/dgraph/dgraph", tag: chart.appVersion, runs: "pod" }];
}
