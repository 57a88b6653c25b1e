import type { Environment } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";
import type { TransitionRule } from "../component.ts";
import { dgraphName } from "./names.ts";

/** Rule for the change from protected internal ports to ports that skip the proxy. */
export const internalPortsStall: TransitionRule = {
  code: "internal-ports-stall",
  severity: "warning",
  title: "Changing `internalPorts` to `skip` while a policy exists stalls the rollout",
  why:
    "Pods restart one by one. The first restarted pods connect to 5080 and 7080 without their proxy, and the Servers that still protect these ports refuse " +
    "clients without an identity. The restarted pods never become ready, and the HelmRelease becomes Stalled. The Servers are not removed, because Flux does not update the policy before Dgraph is ready " +
    "(observed on edge-26.8.3 with Dgraph 24.1.4).",
  fix:
    "1. Set `dgraph.networkPolicy: false`, generate, push, and wait until Dgraph is ready. 2. Set `dgraph.internalPorts: skip`, generate, push, and wait until Dgraph is ready. 3. Set `dgraph.networkPolicy: true`, generate and push. " +
    "Between step 1 and step 3, every pod in the cluster can reach Dgraph.",
  check: skipsProtectedPorts,
};

function* skipsProtectedPorts(environment: Environment, generated: (path: string) => string | null): Iterable<RuleFinding> {
  const { internalPorts, networkPolicy } = environment.spec.dgraph;
  if (internalPorts !== "skip" || !networkPolicy) return;
  const policies = generated("dgraph-policy/authorization.yaml") ?? "";
  const servers = ["alpha-internal", "zero-internal"].map((part) => dgraphName(environment, part));
  if (!servers.some((name) => policies.includes(`name: ${name}\n`))) return;
  yield {
    paths: [spec("dgraph", "internalPorts")],
    message: `Servers ${servers.join(" and ")} would refuse the first restarted pods, and the rollout would stall`,
    fix: "set dgraph.networkPolicy: false first; follow the steps in docs/access.md",
  };
}
