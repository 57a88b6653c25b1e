import type { LinkerdRelease } from "./linkerd.ts";

/** A Helm chart repository. The name is the one that Flux's HelmRepository and helmfile use. */
export interface ChartRepository {
  readonly name: string;
  readonly url: string;
}

/** Dgraph's charts (dgraph-io/charts, README). */
export const dgraphRepository: ChartRepository = { name: "dgraph", url: "https://charts.dgraph.io" };

/** Grafana's chart, which left grafana.github.io in January 2026 (grafana-community/helm-charts, README). */
export const grafanaRepository: ChartRepository = { name: "grafana", url: "https://grafana-community.github.io/helm-charts" };

/** Linkerd's charts: one repository a channel (linkerd2, docs "Installing Linkerd with Helm"). */
export function linkerdRepository(release: LinkerdRelease): ChartRepository {
  return { name: "linkerd", url: `https://helm.linkerd.io/${release.channel}` };
}
