import { dgraphCharts } from "../../generator/catalog/dgraph.ts";
import { type LinkerdVersion, linkerdReleases } from "../../generator/catalog/linkerd.ts";
import { pairwise } from "./pairwise.ts";
import { clientImage } from "./specs.ts";

/** One environment of the release matrix. */
export interface MatrixCase {
  readonly name: string;
  readonly title: string;
  readonly version: LinkerdVersion;
  readonly spec: Record<string, unknown>;
}

/**
 * Environments with different Linkerd releases, Dgraph charts, and values of options that change the generated files.
 * Every valid pair of values occurs in at least one environment. For example, every release occurs with every chart. A
 * list of all combinations would contain about a hundred times as many environments.
 */
export const releaseMatrix: readonly MatrixCase[] = pairwise(
  {
    release: linkerdReleases,
    chart: dgraphCharts,
    internalPorts: ["opaque", "skip", "mesh"],
    serviceProfile: [true, "grpc-route"],
    highAvailability: [true, false],
    grafana: [true, false],
    otherClients: [true, false],
    inject: [true, false],
  },
  ({ release, serviceProfile }) => release.traits.grpcRoute || serviceProfile !== "grpc-route",
).map(({ release, chart, internalPorts, serviceProfile, highAvailability, grafana, otherClients, inject }, index) => ({
  name: `matrix-${index + 1}`,
  title: [
    `${release.version} with Dgraph ${chart.version}`,
    `internal ports ${internalPorts}`,
    serviceProfile === true ? "ServiceProfile" : "GRPCRoute",
    ...(highAvailability ? ["high availability"] : []),
    ...(grafana ? ["Grafana"] : []),
    ...(otherClients ? ["another client"] : []),
    ...(inject ? ["client injected"] : []),
  ].join(", "),
  version: release.version,
  spec: {
    linkerd: { version: release.version, jaeger: { enabled: true }, highAvailability, viz: { grafana } },
    dgraph: {
      chart: chart.version,
      internalPorts,
      clients: otherClients ? [{ namespace: "reports", serviceAccount: "nightly", ports: ["http"] }] : [],
      serviceProfile,
      methods: { Query: { timeout: "30s", retry: false }, Login: { retry: true } },
    },
    pydgraphClient: { image: clientImage, inject },
  },
}));
