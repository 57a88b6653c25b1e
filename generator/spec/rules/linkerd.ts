import { toHours } from "../duration.ts";
import type { Environment } from "../environment.generated.ts";
import { error, type Rule, type RuleFinding, spec, warning } from "./rule.ts";

/** The mesh itself. */
export const linkerdRules: readonly Rule[] = [issuerWithinAnchor, webhookPolicy, grafanaWithoutViz];

function* issuerWithinAnchor({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  const { anchorValidity, issuerValidity } = linkerd.identity;
  if (toHours(issuerValidity) <= toHours(anchorValidity)) return;
  const paths = [spec("linkerd", "identity", "issuerValidity"), spec("linkerd", "identity", "anchorValidity")];
  const message = `the issuer (${issuerValidity}) would outlive the trust anchor (${anchorValidity}) that signs it`;
  yield error("identity-issuer-outlives-anchor", paths, message, "shorten issuerValidity or lengthen anchorValidity");
}

function* webhookPolicy({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Fail" || linkerd.highAvailability) return;
  const message = "with a single injector, Fail refuses every new pod while that injector is down";
  const hint = "set highAvailability: true, or leave webhookFailurePolicy at auto";
  yield warning("webhook-policy-fail", [spec("linkerd", "webhookFailurePolicy")], message, hint);
}

function* grafanaWithoutViz({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.viz.enabled || !linkerd.viz.grafana) return;
  const message = "Grafana shows viz's metrics, and viz is not enabled: it is not installed";
  yield warning("grafana-without-viz", [spec("linkerd", "viz", "grafana")], message, "enable viz, or leave grafana out");
}
