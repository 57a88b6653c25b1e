import { type LinkerdRelease, proxyPorts } from "../catalog/linkerd.ts";
import { meshedLabel, namespaceNameLabel } from "../catalog/well-known.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";

/*
 * NetworkPolicies match pods and ports, not mesh identities. A client with forged labels can connect to the proxy, but
 * the proxy then requires a certificate (see authorization.ts). The policies need no rule for the control plane,
 * because the proxies open the connections to the control plane. The policies need no rule for the kubelet's probes,
 * because a node can always connect to its own pods.
 */

/** Returns a NetworkPolicy for ingress. */
export function ingressPolicy(
  metadata: KubernetesObject["metadata"],
  podSelector: JsonMap,
  ingress: readonly JsonMap[],
): KubernetesObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata,
    spec: { podSelector, policyTypes: ["Ingress"], ingress },
  };
}

/** Returns one rule of a NetworkPolicy. @param from the peers; if empty, the rule admits all clients to the ports */
export function ingressRule(from: readonly JsonMap[], tcp: Iterable<number>, udp: Iterable<number> = []): JsonMap {
  const list = (ports: Iterable<number>, protocol: "TCP" | "UDP"): JsonMap[] =>
    [...ports].sort(ascending).map((port) => ({ port, protocol }));
  return { ...(from.length === 0 ? {} : { from }), ports: [...list(tcp, "TCP"), ...list(udp, "UDP")] };
}

/**
 * Returns the ports at which the connections of a meshed client to `ports` arrive. If proxies use the transport header,
 * connections to every port arrive at the proxy's inbound port. In older releases, a connection arrives at the port to
 * which the client connects. For older releases, the result also contains the proxy's inbound port: during an upgrade
 * to a newer release, the upgraded proxies of clients connect to this port before the NetworkPolicy changes.
 */
export function inboundPorts(ports: Iterable<number>, { traits }: LinkerdRelease): Set<number> {
  return new Set(traits.transportHeader ? [proxyPorts.inbound] : [proxyPorts.inbound, ...ports]);
}

/**
 * Returns a peer that selects the meshed pods of a namespace. If `namespace` is null, the peer selects the meshed pods
 * of all namespaces. The peer matches the label that the injector sets on every pod with a proxy (linkerd2,
 * pkg/k8s/labels.go, ControllerNSLabel).
 */
export function meshedPeer(namespace: string | null): JsonMap {
  return {
    ...(namespace === null ? { namespaceSelector: {} } : inNamespace(namespace)),
    podSelector: { matchLabels: { [meshedLabel]: "linkerd" } },
  };
}

/**
 * Returns the rules for linkerd-viz. Prometheus scrapes the proxies, and tap connects to the proxies. In every release,
 * both Prometheus and tap connect to the proxy's own ports.
 */
export function vizIngress(): JsonMap[] {
  const from = (component: string): JsonMap => ({
    ...inNamespace("linkerd-viz"),
    podSelector: { matchLabels: { "linkerd.io/extension": "viz", component } },
  });
  return [ingressRule([from("prometheus")], [proxyPorts.admin]), ingressRule([from("tap")], [proxyPorts.control])];
}

/** Returns one peer for each network. */
export function ipBlocks(cidrs: readonly string[]): JsonMap[] {
  return cidrs.map((cidr) => ({ ipBlock: { cidr } }));
}

/** Returns a peer that selects all pods of a namespace. */
export function inNamespace(name: string): JsonMap {
  return { namespaceSelector: { matchLabels: { [namespaceNameLabel]: name } } };
}

function ascending(a: number, b: number): number {
  return a - b;
}
