import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { KubernetesObject, StringMap } from "../kubernetes/object.ts";
import { protectPort } from "./authorization.ts";
import { ingressPolicy } from "./network-policy.ts";
import { ingressRules } from "./network-rules.ts";
import { clientsAt, isProtected, isProxied, modeOf, type PodSet } from "./pod-set.ts";

/** Policies for a set of pods: NetworkPolicies and Linkerd's policies. */
export interface Policies {
  /**
   * One NetworkPolicy that admits the clients of the set. Empty if the mode of the set is not `enforce`. In the mode
   * `audit`, Linkerd must admit and count all clients. A NetworkPolicy would refuse clients without counting these
   * clients.
   */
  readonly network: readonly KubernetesObject[];
  /**
   * One Server for each port whose connections pass through the proxy and whose mode is not `off`. If the port has
   * clients, also AuthorizationPolicies for the Server, each with a MeshTLSAuthentication or a NetworkAuthentication.
   */
  readonly mesh: readonly KubernetesObject[];
}

/** Name of the NetworkPolicy of a set of pods, and labels and annotations of all policies of the set. */
export interface PolicyMetadata {
  /** Name of the NetworkPolicy; default: the name of the set. */
  readonly networkPolicyName?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
}

/**
 * Returns the policies that admit the clients of a set of pods and no other clients. NetworkPolicies alone are not
 * sufficient: a NetworkPolicy that allows the proxy's inbound port allows all ports of the application. Users can also
 * forge labels. Linkerd's policies distinguish the ports and require an identity.
 *
 * @returns no policies if the mode of the set is `off` and the mode of each port is `off`
 */
export function policiesFor(pods: PodSet, release: LinkerdRelease, metadata: PolicyMetadata = {}): Policies {
  if (!isProtected(pods)) return { network: [], mesh: [] };
  const { networkPolicyName, ...common } = metadata;
  const named = (name: string): KubernetesObject["metadata"] => ({
    name,
    ...(pods.namespace === "" ? {} : { namespace: pods.namespace }),
    ...common,
  });
  return {
    network:
      pods.access.mode === "enforce"
        ? [ingressPolicy(named(networkPolicyName ?? pods.name), pods.selector, ingressRules(pods, release))]
        : [],
    mesh: Object.entries(pods.ports)
      .filter(([, port]) => isProxied(port) && modeOf(pods, port) !== "off")
      .flatMap(([key, port]) =>
        protectPort(
          {
            metadata: named(`${pods.name}-${key}`),
            podSelector: pods.selector,
            port: port.port,
            protocol: port.protocol,
            audit: modeOf(pods, port) === "audit",
            clients: clientsAt(pods, key),
          },
          release,
        ),
      ),
  };
}
