import type { StringMap } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Pod security label of a namespace with injected pods. Their init container configures the network, which the levels
 * baseline and restricted forbid (linkerd2, templates/namespace.yaml). With the CNI plugin, pods have no such
 * container: then `otherwise` applies, or the default of the cluster.
 */
export function podSecurity({ spec: { linkerd } }: Environment, otherwise?: "restricted"): StringMap {
  const level = linkerd.cni ? otherwise : "privileged";
  return level === undefined ? {} : { "pod-security.kubernetes.io/enforce": level };
}
