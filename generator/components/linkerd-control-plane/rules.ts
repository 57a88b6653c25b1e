import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** `Fail` with a single server behind it; the same rule reads specs and manifests. */
export const failAlone: RuleInfo = {
  code: "webhook-policy-fail",
  severity: "warning",
  title: "Webhooks refuse pods while their only server is down",
  why:
    "`failurePolicy: Fail` makes the API server refuse every pod that the injector cannot answer for. Without high availability there is one injector, " +
    "so a lost node stops all pods in the cluster from starting (Linkerd docs, “High availability”).",
  fix: "Set `highAvailability: true`, or leave `webhookFailurePolicy` at `auto`.",
};

/** The control plane. */
export const controlPlaneRules: readonly Rule[] = [
  { ...failAlone, check: failWithoutReplicas },
  {
    code: "webhook-policy-ignore",
    severity: "warning",
    title: "Pods of an important mesh may start without a proxy",
    why:
      "`failurePolicy: Ignore` lets pods start unmeshed while the injector is down: they have no identity, so policies refuse them, and " +
      "nothing restarts them afterwards. The chart's own values for high availability say `Fail` (linkerd-control-plane, values-ha.yaml).",
    fix: "Leave `webhookFailurePolicy` at `auto`: with high availability that is `Fail`.",
    check: ignoreWithReplicas,
  },
];

function* failWithoutReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Fail" || linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message: "with a single injector, Fail refuses every new pod while that injector is down",
    fix: "set highAvailability: true, or leave webhookFailurePolicy at auto",
  };
}

function* ignoreWithReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Ignore" || !linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message: "Ignore lets pods start without a proxy while the injectors are down, and policies then refuse them",
    fix: "leave webhookFailurePolicy at auto",
  };
}
