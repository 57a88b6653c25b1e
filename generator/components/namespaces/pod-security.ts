import type { StringMap } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Label of a namespace with injected pods. Their init container sets up the network, which the levels baseline and restricted refuse
 * (linkerd2, templates/namespace.yaml). With the CNI plugin they have none: then `otherwise` applies, or the cluster's default.
 */
export function podSecurity({ spec: { linkerd } }: Environment, otherwise?: "restricted"): StringMap {
  const level = linkerd.cni ? otherwise : "privileged";
  return level === undefined ? {} : { "pod-security.kubernetes.io/enforce": level };
}
