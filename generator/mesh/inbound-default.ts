import { proxyPrefix } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { ProxyClient } from "./inbound-policy.ts";
import { inCluster } from "./networks.ts";
import { podLists } from "./ports.ts";

/**
 * Returns the value of the pod's annotation `config.linkerd.io/default-inbound-policy`. The injector copies this
 * annotation from the namespace to the pod. If the annotation is missing, returns the default inbound policy of the
 * Linkerd installation (`ofCluster`).
 */
export function defaultPolicyOf({ metadata }: KubernetesObject, ofCluster: string): string {
  return metadata.annotations?.[`${proxyPrefix}default-inbound-policy`] ?? ofCluster;
}

/** Decision of a policy such as `all-authenticated` or `audit` about a client that no authorization admits. */
type Treatment = "admitted" | "counted" | "refused";

/**
 * Returns how a default inbound policy or the `accessPolicy` of a Server treats a client that no authorization admits
 * (linkerd2, policy-controller/k8s/index/src/defaults.rs).
 *
 * @param needsIdentity whether the port requires an identity (proxy-require-identity-inbound-ports)
 */
export function treatmentBy(policy: string, { identity, address }: ProxyClient, needsIdentity: boolean = false): Treatment {
  if (policy === "audit") return "counted";
  if (policy === "deny") return "refused";
  if (policy.startsWith("cluster-") && !inCluster(address)) return "refused";
  const anyone = policy.endsWith("-unauthenticated") && !needsIdentity;
  return anyone || identity !== null ? "admitted" : "refused";
}

/**
 * Whether the pod's annotation `config.linkerd.io/proxy-require-identity-inbound-ports` contains the given port. If so,
 * and if no Server selects the port, the proxy requires an identity from the clients of the port.
 */
export function requiresIdentity(pod: KubernetesObject, port: number): boolean {
  return podLists(pod, `${proxyPrefix}proxy-require-identity-inbound-ports`, port);
}
