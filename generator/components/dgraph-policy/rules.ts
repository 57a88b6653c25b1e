import { clusterOf } from "../../spec/cluster.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules about NetworkPolicies. */
export const dgraphPolicyRules: readonly Rule[] = [
  {
    code: "network-policy-unenforced",
    severity: "warning",
    title: "NetworkPolicies are not enforced",
    why:
      "Kubernetes accepts NetworkPolicies, but only a network policy engine enforces them. Without such an engine, NetworkPolicies have no effect. Every client can then connect to the ports that are not meshed. " +
      "Only Linkerd's own policies protect the meshed ports. (Azure's kubenet has no network policy engine. meshops does not support kubenet, because Azure is retiring kubenet.)",
    fix: "Use a cluster with a network policy engine (on Azure, set `azure.cluster.networkPolicy` to cilium or calico), or set `dgraph.networkPolicy` to false. If you install your own network policy engine, set `cluster.networkPolicy: other`.",
    check: enforcedPolicies,
  },
];

function* enforcedPolicies(environment: Environment): Iterable<RuleFinding> {
  const { azure, dgraph } = environment.spec;
  if (clusterOf(environment).networkPolicy !== "none") return;
  const engine = azure === undefined ? "install a network policy engine" : "set azure.cluster.networkPolicy to cilium or calico";
  for (const [workload, { pods }] of Object.entries(environment.spec.workloads))
    for (const [key, { access }] of Object.entries(pods)) {
      if (access.mode !== "enforce") continue;
      yield {
        paths: [spec("workloads", workload, "pods", key, "access", "mode")],
        message: `no network policy engine enforces the NetworkPolicy of ${workload}/${key}`,
        fix: engine,
      };
    }
  if (!dgraph.enabled || !dgraph.networkPolicy) return;
  yield {
    paths: [spec("cluster", "networkPolicy"), spec("azure", "cluster", "networkPolicy"), spec("dgraph", "networkPolicy")],
    message: "no network policy engine enforces the NetworkPolicies that dgraph.networkPolicy enables",
    fix: azure === undefined ? "set dgraph.networkPolicy: false, or install a network policy engine" : engine,
  };
}
