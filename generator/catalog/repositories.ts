import type { LinkerdRelease } from "./linkerd.ts";

/** A Helm chart repository. `name` is the name of the repository in the helmfile. */
export interface ChartRepository {
  readonly name: string;
  readonly url: string;
}

/** A chart in an OCI registry. */
export interface OciChart {
  /** URL without a version, such as `oci://registry.example.org/charts/shop`. */
  readonly oci: string;
  /** Digest of the chart's manifest; null to use the version only. */
  readonly digest: string | null;
}

/** Whether a chart is in an OCI registry. */
export function isOci(repository: ChartRepository | OciChart): repository is OciChart {
  return "oci" in repository;
}

/** Repository of Dgraph's charts (dgraph-io/charts, README). */
export const dgraphRepository: ChartRepository = { name: "dgraph", url: "https://charts.dgraph.io" };

/**
 * Repository of Grafana's chart. The chart moved to this repository from grafana.github.io in January 2026
 * (grafana-community/helm-charts, README).
 */
export const grafanaRepository: ChartRepository = { name: "grafana", url: "https://grafana-community.github.io/helm-charts" };

/**
 * Returns the repository of Linkerd's charts. Each channel has its own repository (docs "Installing Linkerd with
 * Helm").
 */
export function linkerdRepository(release: LinkerdRelease): ChartRepository {
  return { name: "linkerd", url: `https://helm.linkerd.io/${release.channel}` };
}
