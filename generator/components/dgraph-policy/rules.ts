import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules about the policies of Dgraph. */
export const dgraphPolicyRules: readonly Rule[] = [
  {
    code: "network-policy-unenforced",
    severity: "warning",
    title: "NetworkPolicies are not enforced",
    why:
      "Kubernetes accepts NetworkPolicies, but only a network policy engine enforces them. Without such an engine, all clients can connect to all ports, and only Linkerd's own policy " +
      "protects the meshed ports. (kubenet has no network policy engine either. meshops does not support kubenet, because Azure is retiring it.)",
    fix: "Set `azure.cluster.networkPolicy` to cilium or calico, or set `dgraph.networkPolicy` to false. If you install your own network policy engine, silence the rule.",
    check: enforcedPolicies,
  },
];

function* enforcedPolicies({ spec: { azure, dgraph } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.networkPolicy !== "none" || !dgraph.enabled || !dgraph.networkPolicy) return;
  yield {
    paths: [spec("azure", "cluster", "networkPolicy"), spec("dgraph", "networkPolicy")],
    message: "no network policy engine enforces the NetworkPolicies of dgraph.networkPolicy",
    fix: "set azure.cluster.networkPolicy to cilium or calico",
  };
}
