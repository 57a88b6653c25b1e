import { linkerdRelease, proxyPorts } from "../../catalog/linkerd.ts";
import type { Model } from "../../components/model.ts";
import { selects } from "../../kubernetes/selectors.ts";
import { type Account, isProxied, type PodSet, type Port, portsOf } from "../../mesh/pod-set.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { asMap } from "../../system/data.ts";
import type { Graph, GraphEdge, GraphNode } from "./model.ts";

/** Pods that clients connect to, and the group of their component. */
interface Server extends PodSet {
  readonly group: string;
}

const everyoneElse = "everyone else";

/**
 * Returns the graph of the access to an environment's pods. The graph shows the clients, their identities, and the
 * ports that each client is allowed to use.
 */
export function trafficOf({ environment, components }: Model): Graph {
  const servers = components
    .flatMap(({ group, pods }) => pods.map((set): Server => ({ ...set, group })))
    .filter(({ ports }) => Object.keys(ports).length > 0);
  const viz = servers.some(({ access }) => access.viz);
  return {
    title: `${environment.metadata.name}: access`,
    direction: "right",
    caption: servers.some(isProtected)
      ? `${arrival(environment)} Every client that the NetworkPolicies allow can call the HTTP probe paths.`
      : servers.length === 0
        ? "meshops delivers no pods with policies in this environment."
        : "No policies exist, so every pod in the cluster can connect.",
    boxes: [
      ...clientNodes(servers),
      ...(viz ? vizNodes : []),
      ...(servers.length === 0 ? [] : [outsiders]),
      ...servers.map(serverNode),
    ],
    arrows: [
      ...servers.filter(isProtected).flatMap(clientEdges).sort(byClient(servers)),
      ...servers.flatMap((from) => servers.flatMap((to) => peerEdges(from, to))),
      ...servers.filter(({ access }) => access.viz).flatMap(vizEdges),
      ...servers.map(outsiderEdge),
    ],
  };
}

function isProtected({ access }: PodSet): boolean {
  return access.mode !== "off";
}

function arrival({ spec: { linkerd } }: Environment): string {
  return linkerdRelease(linkerd.version).traits.transportHeader
    ? `Connections between proxies use mutual TLS and arrive at port ${proxyPorts.inbound} for all destination ports.`
    : "Connections between proxies use mutual TLS and arrive at the destination port.";
}

function serverNode({ title, namespace, replicas, serviceAccountName, workloadRef, group }: Server): GraphNode {
  return {
    name: title,
    lines: [
      title,
      `${replicas === null ? "" : `${replicas} `}pods in ${namespace}`,
      `identity ${namespace}/${serviceAccountName}`,
    ],
    group,
    shape: workloadRef.kind === "StatefulSet" ? "store" : "box",
  };
}

function nameOf({ namespace, name }: Account): string {
  return `${namespace}/${name}`;
}

/** Returns the unique names of the clients that are separate from the servers (clients without a pod selector). */
function clientNames(servers: readonly Server[]): string[] {
  const clients = servers.flatMap(({ access }) => access.clients).filter(({ podSelector }) => podSelector === undefined);
  return [...new Set(clients.map(({ serviceAccountRef }) => nameOf(serviceAccountRef)))];
}

function clientNodes(servers: readonly Server[]): GraphNode[] {
  return clientNames(servers).map((name) => ({
    name,
    lines: ["client", `identity ${name}`],
    group: "meshops",
    shape: "box",
  }));
}

/**
 * Returns one edge per client, with all ports that the client is allowed to use. If a client has the same identity as
 * pods of the server, the edge also contains the ports that these pods are allowed to use.
 */
function clientEdges(server: Server): GraphEdge[] {
  return clientNames([server]).map((from) => {
    const allowed = server.access.clients.filter(({ serviceAccountRef }) => nameOf(serviceAccountRef) === from);
    const keys = new Set(allowed.flatMap((client) => portsOf(server, client).map(([key]) => key)));
    const ports = Object.entries(server.ports).filter(([key, port]) => keys.has(key) && isProxied(port));
    return { from, to: server.title, lines: ports.map(([, { port, protocol }]) => `${port} ${protocol}`), kind: "allowed" };
  });
}

function byClient(servers: readonly Server[]): (a: GraphEdge, b: GraphEdge) => number {
  const names = clientNames(servers);
  return (a, b) => names.indexOf(a.from) - names.indexOf(b.from);
}

/** Returns the edges from one server to another server, or to the same server. */
function peerEdges(from: Server, to: Server): GraphEdge[] {
  const labels = asMap(from.selector["matchLabels"]);
  return to.access.clients
    .filter(({ podSelector }) => podSelector !== undefined && selects(podSelector, labels) && from.namespace === to.namespace)
    .map((client) => {
      const ports = portsOf(to, client).map(([key, port]) => ({ key, ...port }));
      const open = !isProtected(to) || ports.some((port) => !isProxied(port));
      return { from: from.title, to: to.title, lines: ports.map(peerLine), kind: open ? "open" : "allowed" };
    });
}

function peerLine({ key, port, protocol, purpose, skipsProxy }: Port & { readonly key: string }): string {
  if (skipsProxy === true) return `${port} bypasses the proxy, no identity`;
  return `${port} ${purpose ?? key}${protocol === "opaque" ? ", opaque" : ""}`;
}

const vizNodes: readonly GraphNode[] = [
  { name: "viz Prometheus", lines: ["viz Prometheus", "identity linkerd-viz/prometheus"], group: "linkerd", shape: "box" },
  { name: "viz tap", lines: ["viz tap", "identity linkerd-viz/tap"], group: "linkerd", shape: "box" },
];

function vizEdges({ title }: Server): GraphEdge[] {
  return [
    { from: "viz Prometheus", to: title, lines: [`${proxyPorts.admin} metrics`], kind: "allowed" },
    { from: "viz tap", to: title, lines: [`${proxyPorts.control} tap`], kind: "allowed" },
  ];
}

const outsiders: GraphNode = {
  name: everyoneElse,
  lines: [everyoneElse, "no proxy, or an unlisted identity"],
  group: "outside",
  shape: "external",
};

function outsiderEdge(server: Server): GraphEdge {
  return isProtected(server)
    ? { from: everyoneElse, to: server.title, lines: ["refused"], kind: "refused" }
    : { from: everyoneElse, to: server.title, lines: ["every port"], kind: "open" };
}
