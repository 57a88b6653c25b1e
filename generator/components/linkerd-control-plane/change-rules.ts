import { admitsMore } from "../../mesh/installation.ts";
import { isAssessed } from "../assessed.ts";
import type { Assessment, ChangedObject, ChangeRule } from "../change-rule.ts";
import { assessedPaths } from "./assessed.ts";
import { otherRelease } from "./upgrade-changes.ts";

/** Assesses changes of the control plane's HelmRelease. */
export const controlPlaneChanges: ChangeRule = {
  *assess(changed, all) {
    if (changed.kind !== "HelmRelease" || changed.name !== "linkerd-control-plane") return;
    if (changed.change === "removed")
      yield {
        risk: "trust-anchor",
        reason: "Flux uninstalls the control plane: the certificates of proxies are no longer renewed, and new pods get no proxy",
      };
    if (changed.change !== "changed") return;
    yield* controlPlane(changed);
    yield* otherRelease(changed, all);
  },
};

/**
 * Path of the value that sets the default inbound policy of the cluster. The policy controller also applies this policy
 * to running pods (linkerd2, policy-controller/k8s/index/src/inbound/index.rs, `set_default_server`).
 */
const policyPath = "spec.values.proxy.defaultInboundPolicy";
const affected =
  "This applies to all meshed pods of the cluster, except the pods of the control plane and pods with the annotation config.linkerd.io/default-inbound-policy";

/**
 * Assesses changes of the control plane's values. Most of these changes restart the control plane. Some values also
 * configure proxies. A proxy uses the new values after its pod has restarted.
 */
function* controlPlane({ fields }: ChangedObject): Iterable<Assessment> {
  for (const field of fields.filter((each) => isAssessed(each, assessedPaths))) {
    const { path, before, after } = field;
    if (path === policyPath)
      yield admitsMore(after, before)
        ? {
            risk: "wider-access",
            reason: `after the control plane has restarted, meshed pods admit more clients than before to ports without a Server. ${affected}`,
          }
        : {
            risk: "narrower-access",
            reason: `after the control plane has restarted, meshed pods refuse some clients that they currently admit to ports without a Server. ${affected}. In namespaces that meshops does not create, proxies can also refuse requests for proxy metrics${refusesProbes(after)}`,
          };
    if (path === "spec.values.cniEnabled")
      yield {
        risk: "webhook-policy",
        reason:
          after === true
            ? "new meshed pods need the linkerd-cni plugin, and cannot start on a node without this plugin"
            : "new meshed pods get an init container that needs the capability NET_ADMIN. The namespaces of these pods must allow this capability",
        prerequisites:
          after === true
            ? [
                {
                  phase: "before",
                  text: "Before you push, install the linkerd-cni plugin on all nodes. meshops does not install it.",
                },
              ]
            : [],
      };
    else if (path === "spec.values.heartbeatSchedule")
      yield { risk: "harmless", reason: "the schedule of the CronJob linkerd-heartbeat changes" };
    else yield { risk: "rollout", reason: "the control plane restarts, one replica at a time" };
    if (path.startsWith("spec.values.proxy.") && path !== policyPath)
      yield { risk: "rollout", reason: "each proxy uses the new settings after its pod has restarted" };
  }
}

/**
 * If the given default inbound policy requires an identity, returns a text about probes. Otherwise, returns an empty
 * text.
 */
function refusesProbes(policy: unknown): string {
  return ["deny", "all-authenticated", "cluster-authenticated"].includes(String(policy))
    ? ". The kubelet has no identity, so proxies also refuse its gRPC and HTTPS probes at ports without a Server. Pods with these probes then restart or do not become ready"
    : "";
}
