import type { RuleInfo } from "../../diagnostics/rule-info.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { unusedSettings } from "./unused-settings.ts";

/** Rule for `failurePolicy: Fail` with a single webhook server. It applies to specs and to manifests. */
export const failAlone: RuleInfo = {
  code: "webhook-policy-fail",
  severity: "warning",
  title: "New pods are refused while the only injector is down",
  why:
    "With `failurePolicy: Fail`, the API server refuses a new pod if the injector does not answer the API server's request. Without high availability, there is only one " +
    "injector. While the injector or its node is down, no new pods can start in the namespaces to which the injector's webhook applies. By default, these are all namespaces except kube-system and cert-manager (linkerd-control-plane, values.yaml).",
  fix: "Set `highAvailability: true`, or set `webhookFailurePolicy: auto`.",
};

/** Rules for the control plane. */
export const controlPlaneRules: readonly Rule[] = [
  { ...failAlone, check: failWithoutReplicas },
  {
    code: "webhook-policy-ignore",
    severity: "warning",
    title: "Pods might start without a proxy, although high availability is enabled",
    why:
      "With `failurePolicy: Ignore`, pods that start while the injector is down have no proxy. Such pods have no identity, so policies refuse their calls. " +
      "Nothing restarts these pods when the injector is available again. The chart's own values for high availability set `failurePolicy: Fail` (linkerd-control-plane, values-ha.yaml).",
    fix: "Set `webhookFailurePolicy: auto`. If high availability is enabled, `auto` sets the failure policy to `Fail`.",
    check: ignoreWithReplicas,
  },
  unusedSettings,
];

function* failWithoutReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Fail" || linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message:
      "while the only injector is down, the API server refuses every new pod in the namespaces to which the injector's webhook applies",
    fix: "set highAvailability: true, or set webhookFailurePolicy: auto",
  };
}

function* ignoreWithReplicas({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  if (linkerd.webhookFailurePolicy !== "Ignore" || !linkerd.highAvailability) return;
  yield {
    paths: [spec("linkerd", "webhookFailurePolicy")],
    message: "pods that start while all injectors are down have no proxy. Policies refuse the calls of these pods",
    fix: "set webhookFailurePolicy: auto",
  };
}
