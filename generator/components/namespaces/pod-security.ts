import type { StringMap } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Pod security label of a namespace with injected pods. The init container of these pods configures the network. The
 * levels baseline and restricted forbid it (linkerd2, templates/namespace.yaml). With the CNI plugin, pods do not have
 * this container. In this case, the level is `otherwise`. Without `otherwise`, the namespace has no such label, and the
 * cluster's default applies.
 */
export function podSecurity({ spec: { linkerd } }: Environment, otherwise?: "restricted"): StringMap {
  const level = linkerd.cni ? otherwise : "privileged";
  return level === undefined ? {} : { "pod-security.kubernetes.io/enforce": level };
}
