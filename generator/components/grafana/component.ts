import { grafanaChart } from "../../catalog/addons.ts";
import { grafanaRepository } from "../../catalog/repositories.ts";
import { installsLinkerd } from "../../spec/ownership.ts";
import { chartVersion } from "../chart-version.ts";
import type { Component, ComponentProvider } from "../component.ts";
import { podSecurity } from "../namespaces/pod-security.ts";
import { grafanaRules } from "./rules.ts";
import { grafanaValues, ownedGrafanaValues } from "./values.ts";

/** Grafana with Linkerd's dashboards. From Linkerd 2.12 on, the viz chart does not include Grafana. */
export const grafana: ComponentProvider = {
  optional: ["grafana"],
  reservedNamespaces: ["grafana"],
  rules: grafanaRules,
  assessedValues: {
    helmRelease: "grafana",
    paths: [
      "dashboardProviders",
      "dashboards",
      "datasources",
      "env",
      "extraObjects",
      '"grafana.ini"',
      "image",
      "downloadDashboardsImage",
    ],
    effect: "Grafana can restart",
  },
  changeRules: [chartVersion("grafana")],
  components: ({ environment }) => {
    const { viz } = environment.spec.linkerd;
    // The chart adds a policy to the namespace of viz. meshops must not change this namespace if another tool installs
    // Linkerd.
    return installsLinkerd(environment) && viz.enabled && viz.grafana ? [component] : [];
  },
};

const component: Component = {
  id: "grafana",
  group: "grafana",
  needs: [{ component: "linkerd-viz" }],
  build: (context) => ({
    namespace: "grafana",
    namespaces: [{ name: "grafana", labels: podSecurity(context.environment) }],
    delivery: {
      kind: "chart",
      base: "grafana",
      release: {
        name: "grafana",
        chart: "grafana",
        repository: grafanaRepository,
        clusterScoped: true,
        version: grafanaChart.version,
        values: grafanaValues(context),
      },
    },
    images: Object.values(grafanaChart.images),
    owned: ownedGrafanaValues(context),
  }),
};
