import { type LinkerdRelease, proxyPorts } from "../catalog/linkerd.ts";
import { meshedLabel } from "../catalog/well-known.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";

/*
 * NetworkPolicies match pods and ports, not identities: a client with forged labels can reach the proxy, which requires
 * a certificate (see authorization.ts). No rule is needed for the control plane, because proxies connect to it, or for
 * the kubelet's probes, because a node can always reach its pods.
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

/** Returns one rule of a NetworkPolicy: peers, and the ports to which they may connect. */
export function allow(from: readonly JsonMap[], tcp: Iterable<number>, udp: Iterable<number> = []): JsonMap {
  const list = (ports: Iterable<number>, protocol: "TCP" | "UDP"): JsonMap[] =>
    [...ports].sort(ascending).map((port) => ({ port, protocol }));
  return { from, ports: [...list(tcp, "TCP"), ...list(udp, "UDP")] };
}

/**
 * Ports at which a meshed client's connections to `ports` arrive. If proxies use the transport header, this is the
 * proxy's inbound port, regardless of the port to which the client connects. In older releases it is the port itself;
 * port 4143 is allowed as well, because clients are upgraded before the policy changes.
 */
export function arrivalPorts(ports: Iterable<number>, { traits }: LinkerdRelease): Set<number> {
  return new Set(traits.transportHeader ? [proxyPorts.inbound] : [proxyPorts.inbound, ...ports]);
}

/**
 * Peer that selects the meshed pods of a namespace, by the label that the injector sets on every pod with a proxy
 * (linkerd2, pkg/k8s/labels.go, ControllerNSLabel).
 */
export function meshedPods(namespace: string): JsonMap {
  return { ...inNamespace(namespace), podSelector: { matchLabels: { [meshedLabel]: "linkerd" } } };
}

/**
 * Rules for viz. Prometheus scrapes the proxies, and tap connects to them; in every release both use the proxy's own
 * ports.
 */
export function fromViz(): JsonMap[] {
  const from = (component: string): JsonMap => ({
    ...inNamespace("linkerd-viz"),
    podSelector: { matchLabels: { "linkerd.io/extension": "viz", component } },
  });
  return [allow([from("prometheus")], [proxyPorts.admin]), allow([from("tap")], [proxyPorts.control])];
}

function inNamespace(name: string): JsonMap {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

function ascending(a: number, b: number): number {
  return a - b;
}
