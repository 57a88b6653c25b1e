import { linkerdRelease, proxyPorts } from "../../catalog/linkerd.ts";
import type { Model } from "../../components/model.ts";
import { selects } from "../../kubernetes/selectors.ts";
import {
  type Client,
  isAccountClient,
  isProtected,
  isProxied,
  numberedPorts,
  type PodSet,
  type Port,
  titleOf,
} from "../../mesh/pod-set.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { asMap } from "../../system/data.ts";
import type { Graph, GraphEdge, GraphNode } from "./model.ts";

/** A set of pods to which clients connect, and the group of the component to which the pods belong. */
interface Server extends PodSet {
  readonly group: string;
}

const everyoneElse = "everyone else";

/**
 * Maximum number of servers in a graph with separate nodes for viz and for all other clients (`everyoneElse`). With
 * more servers, the edges from these nodes would hide the other edges. A graph with more servers therefore has no such
 * nodes. Instead, the text in the node of each server describes what all other clients can do.
 */
const fewServers = 6;

/**
 * Returns a graph that shows which clients can connect to the pods of an environment. The graph contains the clients
 * with their identities, and the ports to which each client is allowed to connect.
 */
export function trafficOf({ environment, components }: Model): Graph {
  const servers = components
    .flatMap(({ group, pods }) => pods.map((set): Server => ({ ...set, group })))
    .filter(({ ports }) => Object.keys(ports).length > 0);
  const crowded = servers.length > fewServers;
  const viz = servers.some(({ access }) => access.viz);
  return {
    title: `${environment.metadata.name}: access`,
    direction: "right",
    caption: servers.some(isProtected)
      ? `${arrival(environment)} Every client that the NetworkPolicies allow can call the HTTP probe paths.${crowded && viz ? " linkerd-viz is allowed to scrape the metrics (port 4191) and to tap the calls (port 4190) of all pods." : ""}`
      : servers.length === 0
        ? "The spec describes no pods with ports."
        : "No policies exist, so every pod in the cluster can connect.",
    boxes: [
      ...clientNodes(servers),
      ...(viz && !crowded ? vizNodes : []),
      ...(servers.length === 0 || crowded ? [] : [outsiders]),
      ...servers.map((server) => serverNode(server, crowded)),
    ],
    arrows: [
      ...servers
        .filter(isProtected)
        .flatMap((server) => clientEdges(server, servers))
        .sort(byClient(servers)),
      ...servers.flatMap((from) => servers.flatMap((to) => peerEdges(from, to))),
      ...(crowded ? [] : servers.filter(({ access }) => access.viz).flatMap(vizEdges)),
      ...(crowded ? [] : servers.map(outsiderEdge)),
    ],
  };
}

function arrival({ spec: { linkerd } }: Environment): string {
  return linkerdRelease(linkerd.version).traits.transportHeader
    ? `Connections between proxies use mutual TLS, and arrive at port ${proxyPorts.inbound} regardless of the destination port.`
    : "Connections between proxies use mutual TLS, and arrive at the destination port.";
}

/** @param withOthers whether the text in the node also describes what all other clients (`everyoneElse`) can do */
function serverNode(server: Server, withOthers: boolean): GraphNode {
  const { title, namespace, replicas, serviceAccountName, workloadRef, group } = server;
  return {
    name: title,
    lines: [
      title,
      `${replicas === null ? "" : `${replicas} `}pods in ${namespace}`,
      `identity ${namespace}/${serviceAccountName}`,
      ...(withOthers ? [`everyone else: ${outsiderEdge(server).lines.join()}`] : []),
    ],
    group,
    shape: workloadRef?.kind === "StatefulSet" ? "store" : "box",
  };
}

/**
 * Whether a client has no `podSelector`. The field `podSelector` selects pods in the namespace of the server.
 * `peerEdges` draws the edges of clients with a `podSelector`.
 */
function isSeparate(client: Client): boolean {
  return !isAccountClient(client) || client.podSelector === undefined;
}

/**
 * Returns the servers whose pods have the service account of a client. Returns an empty list if the client is not a
 * service account.
 */
function serversOf(client: Client, servers: readonly Server[]): Server[] {
  return servers.filter(
    ({ namespace, serviceAccountName }) =>
      isAccountClient(client) &&
      client.serviceAccountRef.namespace === namespace &&
      client.serviceAccountRef.name === serviceAccountName,
  );
}

/**
 * Returns the names of the nodes from which the edges of a client start. If servers have the service account of the
 * client, returns the titles of these servers. Otherwise, returns the title of the client.
 */
function nodesOf(client: Client, servers: readonly Server[]): string[] {
  const own = serversOf(client, servers);
  return own.length === 0 ? [titleOf(client)] : own.map(({ title }) => title);
}

/**
 * Returns the clients that need their own node, each once. A client does not need its own node if it has a
 * `podSelector`, or if a server has the service account of the client.
 */
function outside(servers: readonly Server[]): Client[] {
  const clients = servers.flatMap(({ access }) => access.clients).filter(isSeparate);
  const others = clients.filter((client) => serversOf(client, servers).length === 0);
  return [...new Map(others.map((client) => [titleOf(client), client])).values()];
}

function clientNodes(servers: readonly Server[]): GraphNode[] {
  return outside(servers).map((client) => ({
    name: titleOf(client),
    lines: ["client", isAccountClient(client) ? `identity ${titleOf(client)}` : titleOf(client)],
    group: "meshops",
    shape: "box",
  }));
}

/**
 * Returns one edge per client of a server, with all ports to which the client is allowed to connect. Clients with the
 * same identity have the same title, and share one edge. This edge contains the ports of all these clients.
 */
function clientEdges(server: Server, servers: readonly Server[]): GraphEdge[] {
  const titles = new Set(server.access.clients.filter(isSeparate).map(titleOf));
  return [...titles].flatMap((title) => {
    const allowed = server.access.clients.filter((client) => titleOf(client) === title);
    const keys = new Set(allowed.flatMap((client) => numberedPorts(server, client).map(([key]) => key)));
    const ports = Object.entries(server.ports).filter(([key, port]) => keys.has(key) && isProxied(port));
    const lines = ports.map(([, { port, protocol }]) => `${port} ${protocol}`);
    const nodes = allowed[0] === undefined ? [] : nodesOf(allowed[0], servers);
    return nodes.map((from): GraphEdge => ({ from, to: server.title, lines, kind: "allowed" }));
  });
}

function byClient(servers: readonly Server[]): (a: GraphEdge, b: GraphEdge) => number {
  const names = [...outside(servers).map(titleOf), ...servers.map(({ title }) => title)];
  return (a, b) => names.indexOf(a.from) - names.indexOf(b.from);
}

/**
 * Returns the edges from the server `from` to the server `to`. Both can be the same server. The result contains one
 * edge for each client of `to` whose `podSelector` selects the pods of `from`.
 */
function peerEdges(from: Server, to: Server): GraphEdge[] {
  const labels = asMap(from.selector["matchLabels"]);
  return to.access.clients
    .filter(isAccountClient)
    .filter(({ podSelector }) => podSelector !== undefined && selects(podSelector, labels) && from.namespace === to.namespace)
    .map((client) => {
      const ports = numberedPorts(to, client).map(([key, port]) => ({ key, ...port }));
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
  lines: [everyoneElse, "no proxy, or any other identity"],
  group: "outside",
  shape: "external",
};

function outsiderEdge(server: Server): GraphEdge {
  if (server.access.mode === "audit")
    return { from: everyoneElse, to: server.title, lines: ["counted, not refused"], kind: "open" };
  return isProtected(server)
    ? { from: everyoneElse, to: server.title, lines: ["refused"], kind: "refused" }
    : { from: everyoneElse, to: server.title, lines: ["every port"], kind: "open" };
}
