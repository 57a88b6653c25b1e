import type { Assessment, ChangedObject, ChangeRule } from "../change-rule.ts";

/** Changes of the control plane's HelmRelease. */
export const controlPlaneChanges: ChangeRule = {
  *assess(changed) {
    if (changed.kind !== "HelmRelease" || changed.name !== "linkerd-control-plane") return;
    if (changed.change === "removed")
      yield {
        risk: "trust-anchor",
        reason: "Flux uninstalls the control plane: no certificate is renewed, no pod injected",
      };
    if (changed.change === "changed") yield* controlPlane(changed);
  },
};

/** Every change of the control plane's values restarts it; some values are also for proxies, which read them when their pods restart. */
function* controlPlane({ fields }: ChangedObject): Iterable<Assessment> {
  for (const { path, after } of fields) {
    if (path === "spec.values.cniEnabled")
      yield {
        risk: "webhook-policy",
        reason:
          after === true
            ? "new meshed pods rely on the linkerd-cni plugin: where it is missing they never start"
            : "new meshed pods get an init container that needs NET_ADMIN: namespaces must allow it",
      };
    else if (path === "spec.values.clusterDomain")
      yield { risk: "rollout", reason: "proxies look Services up under another domain: all meshed pods must restart" };
    else if (path.startsWith("spec.values.") && !path.startsWith("spec.values.podAnnotations"))
      yield { risk: "rollout", reason: "the control plane restarts, one replica after the other" };
  }
}
