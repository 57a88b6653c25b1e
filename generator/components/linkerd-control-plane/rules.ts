import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rule for `failurePolicy: Fail` with a single webhook server. It applies to specs and to manifests. */
export const failAlone: RuleInfo = {
  code: "webhook-policy-fail",
  severity: "warning",
  title: "Pods are refused while the only webhook server is down",
  why:
    "With `failurePolicy: Fail`, the API server refuses every pod for which the injector does not answer. Without high availability there is only one " +
    "injector, so the loss of its node prevents all pods in the cluster from starting (Linkerd docs, “High availability”).",
  fix: "Set `highAvailability: true`, or set `webhookFailurePolicy: auto`.",
};

/** Rules for the control plane. */
export const controlPlaneRules: readonly Rule[] = [
  { ...failAlone, check: failWithoutReplicas },
  {
    code: "webhook-policy-ignore",
    severity: "warning",
    title: "Pods of a highly available mesh may start without a proxy",
    why:
      "With `failurePolicy: Ignore`, pods start without a proxy while the injector is down: they have no identity, so policies refuse them, and " +
      "nothing restarts them afterwards. The chart's own values for high availability set `Fail` (linkerd-control-plane, values-ha.yaml).",
    fix: "Set `webhookFailurePolicy: auto`, which means `Fail` with high availability.",
    check: ignoreWithReplicas,
  },
];

function* failWithoutReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Fail" || linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message: "with a single injector, the API server refuses every new pod while that injector is down",
    fix: "set highAvailability: true, or set webhookFailurePolicy: auto",
  };
}

function* ignoreWithReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Ignore" || !linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message: "pods start without a proxy while the injectors are down, and policies then refuse them",
    fix: "set webhookFailurePolicy: auto",
  };
}
