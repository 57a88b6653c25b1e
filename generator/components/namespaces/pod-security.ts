import type { StringMap } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Returns the pod security label of a namespace with injected pods. Without the CNI plugin, these pods have an init
 * container that configures the network. The levels `baseline` and `restricted` forbid this init container, so the
 * level is `privileged` (linkerd2, templates/namespace.yaml). With the CNI plugin, the pods do not have this init
 * container, so the level is `otherwise`. If `otherwise` is omitted, returns no label, so that the cluster's default
 * level applies.
 */
export function podSecurity({ spec: { linkerd } }: Environment, otherwise?: "restricted"): StringMap {
  const level = linkerd.cni ? otherwise : "privileged";
  return level === undefined ? {} : { "pod-security.kubernetes.io/enforce": level };
}
