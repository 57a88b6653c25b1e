import { grafanaChart } from "../../catalog/addons.ts";
import { grafanaRepository } from "../../catalog/repositories.ts";
import { chartVersion } from "../chart-version.ts";
import type { Component } from "../component.ts";
import { grafanaRules } from "./rules.ts";
import { grafanaValues } from "./values.ts";

/** Grafana with Linkerd's dashboards; it left the viz chart with Linkerd 2.12. */
export const grafana: Component = {
  name: "grafana",
  needs: ["linkerd-viz"],
  enabled: ({ environment: { spec } }) => spec.linkerd.viz.enabled && spec.linkerd.viz.grafana,
  reservedNamespaces: ["grafana"],
  rules: grafanaRules,
  changeRules: [chartVersion("grafana")],
  build: (context) => ({
    namespace: "grafana",
    partOf: "grafana",
    base: "grafana",
    release: {
      name: "grafana",
      chart: "grafana",
      repository: grafanaRepository,
      version: grafanaChart.version,
      values: grafanaValues(context),
      patches: [],
      driftIgnored: [],
    },
    images: Object.values(grafanaChart.images),
    timeoutMinutes: 5,
  }),
};
