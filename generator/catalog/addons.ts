/** Facts about Jaeger, curl and Grafana: their images, charts and dashboards. */
import type { Image } from "./image.ts";

/**
 * Image of Jaeger v2, for Linkerd releases without the chart linkerd-jaeger. Jaeger v2 receives OTLP directly. Its
 * ports are 4317 for OTLP over gRPC, 4318 for OTLP over HTTP, 16686 for the UI, and 13133 for health checks
 * (jaegertracing/jaeger v2.20.0: cmd/jaeger/internal/all-in-one.yaml, Dockerfile).
 */
export const jaegerImage: Image = { name: "docker.io/jaegertracing/jaeger", tag: "2.20.0", runs: "pod" };

/**
 * Image with curl and a shell. Its container runs as a user without privileges. Grafana's chart uses the same image.
 */
export const curlImage: Image = { name: "docker.io/curlimages/curl", tag: "8.21.0", runs: "pod" };

/** Grafana's chart and its images (grafana-community/helm-charts, tag grafana-12.11.1: Chart.yaml, values.yaml). */
export const grafanaChart: { readonly version: string; readonly images: { readonly grafana: Image; readonly curl: Image } } = {
  version: "12.11.1",
  images: {
    grafana: { name: "docker.io/grafana/grafana", tag: "13.2.0", runs: "pod" },
    /** Image of an init container that downloads the dashboards. */
    curl: curlImage,
  },
};

/** A Grafana dashboard: its ID and revision at grafana.com. */
export interface Dashboard {
  readonly gnetId: number;
  readonly revision: number;
}

/** Linkerd's dashboards (linkerd2, grafana/values.yaml; this file is the same from stable-2.14.10 to edge-26.8.3). */
export const linkerdDashboards: Readonly<Record<string, Dashboard>> = {
  "top-line": { gnetId: 15474, revision: 4 },
  health: { gnetId: 15486, revision: 3 },
  kubernetes: { gnetId: 15479, revision: 2 },
  namespace: { gnetId: 15478, revision: 3 },
  deployment: { gnetId: 15475, revision: 6 },
  pod: { gnetId: 15477, revision: 3 },
  service: { gnetId: 15480, revision: 3 },
  route: { gnetId: 15481, revision: 3 },
  authority: { gnetId: 15482, revision: 3 },
  cronjob: { gnetId: 15483, revision: 3 },
  job: { gnetId: 15487, revision: 3 },
  daemonset: { gnetId: 15484, revision: 3 },
  replicaset: { gnetId: 15491, revision: 3 },
  statefulset: { gnetId: 15493, revision: 3 },
  replicationcontroller: { gnetId: 15492, revision: 4 },
  prometheus: { gnetId: 15489, revision: 2 },
  "prometheus-benchmark": { gnetId: 15490, revision: 2 },
  multicluster: { gnetId: 15488, revision: 3 },
};
