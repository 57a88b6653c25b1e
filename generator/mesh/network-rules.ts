import { type LinkerdRelease, proxyPorts } from "../catalog/linkerd.ts";
import type { JsonMap } from "../kubernetes/object.ts";
import { groupBy } from "../system/data.ts";
import { inboundPorts, ingressRule, inNamespace, ipBlocks, meshedPeer, vizIngress } from "./network-policy.ts";
import { type Client, modeOf, numberedPorts, type PodSet, type Port, type Scraper } from "./pod-set.ts";

/** Returns the rules of the NetworkPolicy of a set of pods. */
export function ingressRules(pods: PodSet, release: LinkerdRelease): JsonMap[] {
  const { clients, viz, scrapers = [] } = pods.access;
  const byNamespace = groupBy(
    clients.flatMap((client) => {
      const namespace = namespaceOf(client);
      return namespace === null ? [] : [{ client, namespace }];
    }),
    ({ namespace }) => namespace,
  );
  const limits = (client: Client): Limits => limitsOf(pods, [client]);
  return [
    ...clients.flatMap((client) =>
      "podSelector" in client && client.podSelector !== undefined ? [directRule(pods, client, client.podSelector)] : [],
    ),
    ...[...byNamespace].flatMap(([namespace, own]) =>
      viaProxy(
        [meshedPeer(namespace)],
        limitsOf(
          pods,
          own.map(({ client }) => client),
        ),
        release,
      ),
    ),
    ...clients.flatMap((client) => {
      if ("cidrs" in client) return client.onNode === true ? [] : direct(ipBlocks(client.cidrs), limits(client));
      if (!("all" in client)) return [];
      return client.all === "meshed" ? viaProxy([meshedPeer(null)], limits(client), release) : open(limits(client).ports);
    }),
    ...open(Object.values(pods.ports).filter((port) => modeOf(pods, port) !== "enforce")),
    ...(viz ? vizIngress() : []),
    ...scrapers.map((scraper) => ingressRule(peersOf(scraper), [proxyPorts.admin])),
  ];
}

/**
 * Returns the namespace of a client if the NetworkPolicy selects the client by namespace and by the label of meshed
 * pods. Returns null for a client that the NetworkPolicy selects by pod labels or by networks, and for an entry that
 * admits clients of all namespaces (`all`).
 */
function namespaceOf(client: Client): string | null {
  if ("namespace" in client) return client.namespace;
  return "serviceAccountRef" in client && client.podSelector === undefined ? client.serviceAccountRef.namespace : null;
}

function peersOf(scraper: Scraper): JsonMap[] {
  return "cidrs" in scraper ? ipBlocks(scraper.cidrs) : [inNamespace(scraper.namespace)];
}

function directRule(pods: PodSet, client: Client, podSelector: JsonMap): JsonMap {
  return ingressRule([{ podSelector }], [proxyPorts.inbound, ...numberedPorts(pods, client).map(([, { port }]) => port)]);
}

/** The ports to which at least one client of a list is allowed to connect. */
interface Limits {
  readonly ports: readonly Port[];
  /**
   * Whether at least one client of the list is allowed to connect to all ports, including ports that the set does not
   * list.
   */
  readonly all: boolean;
}

function limitsOf(pods: PodSet, clients: readonly Client[]): Limits {
  const ports = new Set(clients.flatMap((client) => numberedPorts(pods, client).map(([, port]) => port)));
  return { ports: [...ports], all: clients.some((client) => client.ports === undefined) };
}

/**
 * Returns a list with one rule for clients with a proxy. The list is empty if the clients are not allowed to connect to
 * any port.
 */
function viaProxy(peers: readonly JsonMap[], { ports, all }: Limits, release: LinkerdRelease): JsonMap[] {
  const tcp = numbers(ports, "TCP");
  const bypassing = numbers(
    ports.filter(({ skipsProxy }) => skipsProxy === true),
    "TCP",
  );
  // If the client is allowed to connect to all ports, admit the client to the proxy, even if the set lists no ports.
  const arrival = tcp.length > 0 || all ? inboundPorts(tcp, release) : [];
  return rule(peers, [...arrival, ...bypassing], numbers(ports, "UDP"));
}

/**
 * Returns a list with one rule for clients with or without a proxy. The rule allows the ports in `limits`. If at least
 * one of these ports is a TCP port, the rule also allows the proxy's inbound port. If `limits` contains no ports, the
 * list is empty.
 */
function direct(peers: readonly JsonMap[], { ports }: Limits): JsonMap[] {
  const tcp = numbers(ports, "TCP");
  return rule(peers, [...(tcp.length > 0 ? [proxyPorts.inbound] : []), ...tcp], numbers(ports, "UDP"));
}

/**
 * Returns a list with one rule that admits all clients, with and without a proxy, to the given ports. The list is empty
 * if no ports are given.
 */
function open(ports: readonly Port[]): JsonMap[] {
  return ports.length === 0 ? [] : rule([], [proxyPorts.inbound, ...numbers(ports, "TCP")], numbers(ports, "UDP"));
}

function rule(peers: readonly JsonMap[], tcp: readonly number[], udp: readonly number[]): JsonMap[] {
  return tcp.length + udp.length === 0 ? [] : [ingressRule(peers, new Set(tcp), udp)];
}

function numbers(ports: readonly Port[], wanted: "TCP" | "UDP"): number[] {
  return ports.filter(({ transport = "TCP" }) => transport === wanted).map(({ port }) => port);
}
