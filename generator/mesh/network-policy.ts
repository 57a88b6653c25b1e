import { type LinkerdRelease, proxyPorts } from "../catalog/linkerd.ts";
import { meshedLabel } from "../catalog/well-known.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";

/*
 * NetworkPolicies see pods and ports, not identities: whoever forges a label gets as far as the proxy, which asks for a certificate
 * (see authorization.ts). Nothing is needed for the control plane (proxies dial out) nor for kubelet's probes (a node reaches
 * its pods whatever the policy).
 */

/** A NetworkPolicy for what comes in. */
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

/** One rule of a NetworkPolicy: peers, and the ports that they may dial. */
export function allow(from: readonly JsonMap[], tcp: Iterable<number>, udp: Iterable<number> = []): JsonMap {
  const list = (ports: Iterable<number>, protocol: "TCP" | "UDP"): JsonMap[] =>
    [...ports].sort(ascending).map((port) => ({ port, protocol }));
  return { from, ports: [...list(tcp, "TCP"), ...list(udp, "UDP")] };
}

/**
 * The ports at which a meshed client's connections to `ports` arrive. Where proxies use the transport header, that is the proxy's port,
 * whatever port was dialled; before that the port itself. 4143 is open there too: on an upgrade, clients change over before the policy does.
 */
export function arrivalPorts(ports: Iterable<number>, { traits }: LinkerdRelease): Set<number> {
  return new Set(traits.transportHeader ? [proxyPorts.inbound] : [proxyPorts.inbound, ...ports]);
}

/** Meshed pods of a namespace: the injector labels every pod that it gives a proxy (linkerd2, pkg/k8s/labels.go, ControllerNSLabel). */
export function meshedPods(namespace: string): JsonMap {
  return { ...inNamespace(namespace), podSelector: { matchLabels: { [meshedLabel]: "linkerd" } } };
}

/** Prometheus scrapes the proxies, tap listens at them: both dial the proxy's own ports on every release. */
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
