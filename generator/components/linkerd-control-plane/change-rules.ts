import type { Assessment, ChangedObject, ChangeRule } from "../change-rule.ts";

/** Assesses changes of the control plane's HelmRelease. */
export const controlPlaneChanges: ChangeRule = {
  *assess(changed) {
    if (changed.kind !== "HelmRelease" || changed.name !== "linkerd-control-plane") return;
    if (changed.change === "removed")
      yield {
        risk: "trust-anchor",
        reason: "Flux uninstalls the control plane: certificates are not renewed, and new pods are not injected",
      };
    if (changed.change === "changed") yield* controlPlane(changed);
  },
};

/**
 * Assesses changes of the control plane's values. Every change restarts the control plane. Some values also configure
 * proxies, which read them when their pods restart.
 */
function* controlPlane({ fields }: ChangedObject): Iterable<Assessment> {
  for (const { path, after } of fields) {
    if (path === "spec.values.cniEnabled")
      yield {
        risk: "webhook-policy",
        reason:
          after === true
            ? "new meshed pods need the linkerd-cni plugin: they never start on a node without it"
            : "new meshed pods get an init container that needs NET_ADMIN: namespaces must allow it",
      };
    else if (path === "spec.values.clusterDomain")
      yield { risk: "rollout", reason: "proxies look up Services under another domain: all meshed pods must restart" };
    else if (path.startsWith("spec.values.") && !path.startsWith("spec.values.podAnnotations"))
      yield { risk: "rollout", reason: "the control plane restarts, one replica after the other" };
  }
}
