import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Dashboards. */
export const grafanaRules: readonly Rule[] = [
  {
    code: "grafana-without-viz",
    severity: "warning",
    title: "Grafana without viz has nothing to show",
    why: "Linkerd's dashboards read viz's Prometheus. Without viz meshops installs no Grafana, so the field does nothing.",
    fix: "Enable viz, or leave `grafana` out.",
    check: grafanaWithoutViz,
  },
];

function* grafanaWithoutViz({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.viz.enabled || !linkerd.viz.grafana) return;
  yield {
    paths: [spec("linkerd", "viz", "grafana")],
    message: "Grafana shows viz's metrics, and viz is not enabled: it is not installed",
    fix: "enable viz, or leave grafana out",
  };
}
