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
    "clients without an identity. These pods never become ready, the HelmRelease becomes Stalled, and the Servers stay, because the policy waits for Dgraph " +
    "(seen on edge-26.8.3 with Dgraph 24.1.4).",
  fix:
    "Set `dgraph.networkPolicy: false`, generate, push and wait until Dgraph is ready. Change `internalPorts` in the same way. Then set `networkPolicy: true`. " +
    "Between the first and the last step, every pod in the cluster can reach Dgraph.",
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
