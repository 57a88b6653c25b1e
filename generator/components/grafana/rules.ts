import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules for Grafana. */
export const grafanaRules: readonly Rule[] = [
  {
    code: "grafana-without-viz",
    severity: "warning",
    title: "Grafana is enabled without viz",
    why: "Linkerd's dashboards show metrics from the Prometheus of viz. Without viz, meshops does not install Grafana, so `linkerd.viz.grafana` has no effect.",
    fix: "Set `linkerd.viz.enabled: true`, or remove `linkerd.viz.grafana`.",
    check: grafanaWithoutViz,
  },
];

function* grafanaWithoutViz({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.viz.enabled || !linkerd.viz.grafana) return;
  yield {
    paths: [spec("linkerd", "viz", "grafana")],
    message: "meshops does not install Grafana: Grafana needs viz, but viz is not enabled",
    fix: "set viz.enabled: true, or remove grafana",
  };
}
