import { type DgraphRole, dgraphPorts } from "../catalog/dgraph.ts";
import { type LinkerdTrack, proxyPorts } from "../catalog/linkerd.ts";
import type { JsonMap, KubernetesObject } from "../model.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { dgraphLabels, dgraphName } from "./dgraph.ts";

/**
 * NetworkPolicies that let only Dgraph's own pods, the listed clients and viz reach Dgraph. They see pods and ports, not identities:
 * whoever forges a label gets as far as the proxy, which asks for a certificate (see `dgraphAuthorization`). Nothing is
 * needed for the control plane (proxies dial out) nor for kubelet's probes (a node reaches its pods whatever the policy).
 */
export function dgraphNetworkPolicies(environment: Environment, track: LinkerdTrack): KubernetesObject[] {
  return [
    policy(environment, "alpha", [...clients(environment, track), ...viz(environment)]),
    policy(environment, "zero", viz(environment)),
  ];
}

function policy(environment: Environment, role: DgraphRole, ingress: readonly JsonMap[]): KubernetesObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: dgraphName(environment, role), namespace: environment.spec.dgraph.namespace },
    spec: {
      podSelector: { matchLabels: dgraphLabels(environment, role) },
      policyTypes: ["Ingress"],
      ingress: [peers(environment, role), ...ingress],
    },
  };
}

/**
 * Alpha and Zero among themselves: by the proxy, or directly where `internalPorts` is skip. Both ways are open in every mode: pods roll
 * one by one when the mode changes, the new and the old must form one Raft group, and the policy changes only after they have.
 */
function peers(environment: Environment, role: DgraphRole): JsonMap {
  return rule([{ podSelector: { matchLabels: dgraphLabels(environment) } }], [proxyPorts.inbound, dgraphPorts[role].internal]);
}

/**
 * Meshed pods of the clients' namespaces. Where proxies use the transport header, their connections arrive at the proxy's port,
 * whatever port was dialled; before that at the port itself. 4143 is open there too: on an upgrade, clients change over before the policy does.
 */
function clients({ spec: { dgraph } }: Environment, { traits }: LinkerdTrack): JsonMap[] {
  const namespaces = new Map<string, Set<number>>();
  for (const { namespace, ports } of dgraph.clients) {
    const open = namespaces.get(namespace) ?? new Set([proxyPorts.inbound]);
    if (!traits.transportHeader) for (const port of ports) open.add(dgraphPorts.alpha[port]);
    namespaces.set(namespace, open);
  }
  return [...namespaces].map(([namespace, ports]) => rule([meshedPods(namespace)], [...ports].sort(ascending)));
}

/** Prometheus scrapes the proxies, tap listens at them: both dial the proxy's own ports on every release. */
function viz({ spec: { linkerd } }: Environment): JsonMap[] {
  if (!linkerd.viz.enabled) return [];
  const from = (component: string): JsonMap => ({
    ...inNamespace("linkerd-viz"),
    podSelector: { matchLabels: { "linkerd.io/extension": "viz", component } },
  });
  return [rule([from("prometheus")], [proxyPorts.admin]), rule([from("tap")], [proxyPorts.control])];
}

/** The injector labels every pod that it gives a proxy (linkerd2, pkg/k8s/labels.go, ControllerNSLabel). */
function meshedPods(namespace: string): JsonMap {
  return { ...inNamespace(namespace), podSelector: { matchLabels: { "linkerd.io/control-plane-ns": "linkerd" } } };
}

function inNamespace(name: string): JsonMap {
  return { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } } };
}

function rule(from: readonly JsonMap[], ports: readonly number[]): JsonMap {
  return { from, ports: ports.map((port) => ({ port, protocol: "TCP" })) };
}

function ascending(a: number, b: number): number {
  return a - b;
}
