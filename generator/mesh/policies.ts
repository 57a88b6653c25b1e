import type { LinkerdRelease } from "../catalog/linkerd.ts";
import { proxyPorts } from "../catalog/linkerd.ts";
import type { JsonMap, KubernetesObject, StringMap } from "../kubernetes/object.ts";
import { groupBy } from "../system/data.ts";
import { protectPort } from "./authorization.ts";
import { allow, arrivalPorts, fromViz, ingressPolicy, meshedPods } from "./network-policy.ts";
import { type Client, isProxied, type PodSet, type Port, portsOf } from "./pod-set.ts";

/** Policies for a set of pods, by layer. */
export interface Policies {
  /** One NetworkPolicy, which specifies the pods that may connect to the set. */
  readonly network: readonly KubernetesObject[];
  /**
   * One Server for each port whose connections pass through the proxy. If the port has clients, also an AuthorizationPolicy
   * and a MeshTLSAuthentication that apply to the Server.
   */
  readonly mesh: readonly KubernetesObject[];
}

/** Metadata that the policies of a set have in addition to their name and namespace. */
export interface PolicyMetadata {
  /** Name of the NetworkPolicy; default: the name of the set. */
  readonly networkPolicyName?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
}

/**
 * Returns the policies that admit the clients of a set of pods and no other clients. Both layers are needed. The
 * network layer cannot distinguish ports if the proxy's inbound port is open, and labels can be forged. The mesh layer
 * requires an identity.
 *
 * @returns no policies if `access.mode` is `off`
 */
export function policiesFor(pods: PodSet, release: LinkerdRelease, metadata: PolicyMetadata = {}): Policies {
  if (pods.access.mode === "off") return { network: [], mesh: [] };
  const { networkPolicyName, ...common } = metadata;
  const named = (name: string): KubernetesObject["metadata"] => ({
    name,
    ...(pods.namespace === "" ? {} : { namespace: pods.namespace }),
    ...common,
  });
  return {
    network: [ingressPolicy(named(networkPolicyName ?? pods.name), pods.selector, ingressRules(pods, release))],
    mesh: Object.entries(pods.ports)
      .filter(([, port]) => isProxied(port))
      .flatMap(([key, { port, protocol }]) =>
        protectPort(
          { metadata: named(`${pods.name}-${key}`), podSelector: pods.selector, port, protocol, accounts: accountsOf(pods, key) },
          release,
        ),
      ),
  };
}

/** Returns the service accounts of the clients that may connect to a port. */
function accountsOf({ access }: Pick<PodSet, "access">, key: string): Client["serviceAccountRef"][] {
  return access.clients
    .filter(({ ports }) => ports === undefined || ports.includes(key))
    .map(({ serviceAccountRef }) => serviceAccountRef);
}

function ingressRules(pods: PodSet, release: LinkerdRelease): JsonMap[] {
  const { clients, viz } = pods.access;
  const direct = clients.flatMap((client) =>
    client.podSelector === undefined ? [] : [directRule(pods, client, client.podSelector)],
  );
  const others = groupBy(
    clients.filter(({ podSelector }) => podSelector === undefined),
    ({ serviceAccountRef }) => serviceAccountRef.namespace,
  );
  return [
    ...direct,
    ...[...others].flatMap(([namespace, own]) => namespaceRule(pods, namespace, own, release)),
    ...(viz ? fromViz() : []),
  ];
}

function directRule(pods: PodSet, client: Client, podSelector: JsonMap): JsonMap {
  return allow([{ podSelector }], [proxyPorts.inbound, ...portsOf(pods, client).map(([, { port }]) => port)]);
}

/**
 * Returns a rule that admits the meshed pods of a namespace at all ports to which at least one client of the namespace
 * may connect. Returns an empty list without such ports.
 */
function namespaceRule(pods: PodSet, namespace: string, clients: readonly Client[], release: LinkerdRelease): JsonMap[] {
  const used = new Set(clients.flatMap((client) => portsOf(pods, client).map(([, port]) => port)));
  const numbers = (of: (port: Port) => boolean): number[] => [...used].filter(of).map(({ port }) => port);
  const tcp = numbers(({ transport = "TCP" }) => transport === "TCP");
  // A client that may connect to all ports may connect to the proxy even if no port of the pods is known.
  const proxied = tcp.length > 0 || clients.some(({ ports }) => ports === undefined);
  const open = [
    ...(proxied ? arrivalPorts(tcp, release) : []),
    ...numbers((port) => port.transport !== "UDP" && port.skipsProxy === true),
  ];
  const udp = numbers(({ transport }) => transport === "UDP");
  return open.length + udp.length === 0 ? [] : [allow([meshedPods(namespace)], new Set(open), udp)];
}
