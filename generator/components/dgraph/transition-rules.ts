import { portKeys } from "../../catalog/well-known.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";
import type { TransitionRule } from "../component.ts";
import { dgraphName } from "./names.ts";

/** Rule for the change from internal ports that skip the proxy to internal ports that Servers protect. */
export const internalPortsStall: TransitionRule = {
  code: "internal-ports-stall",
  severity: "warning",
  title: "Changing `internalPorts` from `skip` while `networkPolicy` is true stalls the rollout",
  why:
    "Flux updates the policies before it updates Dgraph. The new Servers of ports 5080 and 7080 refuse clients without an identity. " +
    "Pods restart one by one. Pods that have not restarted connect to these ports without their proxy, so the restarted pods refuse these connections. " +
    "The first restarted pods never become ready, and the HelmRelease becomes Stalled (linkerd2-proxy, inbound policy; the same refusal was observed on edge-26.8.3 with Dgraph 24.1.4).",
  fix:
    "1. Set `dgraph.networkPolicy: false`, generate, push, and wait until Dgraph is ready. 2. Change `dgraph.internalPorts`, generate, push, and wait until Dgraph is ready. 3. Set `dgraph.networkPolicy: true`, generate and push. " +
    "Between step 1 and step 3, every pod in the cluster can reach Dgraph.",
  check: protectsSkippedPorts,
};

function* protectsSkippedPorts(environment: Environment, generated: (path: string) => string | null): Iterable<RuleFinding> {
  const { enabled, internalPorts, networkPolicy } = environment.spec.dgraph;
  if (!enabled || internalPorts === "skip" || !networkPolicy) return;
  const skipped = ["dgraph/values.yaml", "dgraph/patches.yaml"].some((path) => generated(path)?.includes(portKeys.skipOutbound));
  if (!skipped) return;
  const servers = ["alpha-internal", "zero-internal"].map((part) => dgraphName(environment, part));
  yield {
    paths: [spec("dgraph", "internalPorts"), spec("dgraph")],
    message: `the new Servers ${servers.join(" and ")} would refuse the pods that have not restarted, and the rollout would stall`,
    fix: "set dgraph.networkPolicy: false first; follow the steps in meshops help access",
  };
}
