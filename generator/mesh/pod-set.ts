import type { JsonMap, KubernetesObject, StringMap } from "../kubernetes/object.ts";
import { selects } from "../kubernetes/selectors.ts";

/** Protocol of a port, with the values of the field `proxyProtocol` of a Server. */
export type Protocol = "HTTP/1" | "HTTP/2" | "gRPC" | "TLS" | "opaque" | "unknown";

/** A port on which pods listen. */
export interface Port {
  readonly port: number;
  /** Number of the port in the Services of the set; default: `port`. */
  readonly servicePort?: number;
  /** Transport protocol; default: TCP. */
  readonly transport?: "TCP" | "UDP";
  readonly protocol: Protocol;
  /** Whether connections to the port bypass the proxy. If true, a Server cannot protect the port. */
  readonly skipsProxy?: boolean;
  /** Access mode of the port; if omitted, the mode of the set. */
  readonly mode?: AccessMode;
  /** Purpose of the port; omitted if the key of the port already describes the purpose. */
  readonly purpose?: string;
}

/** A service account. It is the identity of a meshed workload. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** Clients with one service account. */
export interface AccountClient {
  readonly serviceAccountRef: Account;
  /**
   * Label selector of the client's pods. Set `podSelector` only if these pods run in the namespace of the set and also
   * connect without a proxy. The NetworkPolicy then admits only the selected pods, both at the proxy's inbound port and
   * at the port itself.
   */
  readonly podSelector?: JsonMap;
}

/** Clients in some networks. These clients have no mesh identity. */
interface NetworkClient {
  readonly cidrs: readonly string[];
  /**
   * Whether the clients are programs, such as the kubelet, on the same node as the pods. NetworkPolicies do not apply
   * to these programs (Kubernetes docs, "Network Policies").
   */
  readonly onNode?: boolean;
}

/** Source of connections: one service account, all meshed pods of a namespace, networks, or all clients. */
export type ClientSource = AccountClient | { readonly namespace: string } | NetworkClient | { readonly all: "meshed" | "any" };

/** Clients that connect to the pods of a set. */
export type Client = ClientSource & {
  /** Keys of the ports to which the client may connect; default: all ports. */
  readonly ports?: readonly string[];
};

/** Whether the clients have one service account. */
export function isAccountClient(client: Client): client is AccountClient & { readonly ports?: readonly string[] } {
  return "serviceAccountRef" in client;
}

/** Display name of a client. */
export function titleOf(client: ClientSource): string {
  if ("serviceAccountRef" in client) return `${client.serviceAccountRef.namespace}/${client.serviceAccountRef.name}`;
  if ("namespace" in client) return `meshed pods of ${client.namespace}`;
  if ("cidrs" in client) {
    const [first = "", ...others] = client.cidrs;
    const networks = others.length === 0 ? first : `${first} and ${others.length} more`;
    return client.onNode === true ? `kubelet (${networks})` : networks;
  }
  return client.all === "meshed" ? "all meshed pods" : "all clients";
}

/**
 * `off`: meshops generates no policies. `audit`: Linkerd admits all clients, and counts the clients that are not
 * listed. `enforce`: Linkerd admits only the listed clients.
 */
export type AccessMode = "off" | "audit" | "enforce";

/** Access to the pods of a set. NetworkPolicies and Linkerd's policies enforce these settings. */
interface Access {
  readonly mode: AccessMode;
  readonly clients: readonly Client[];
  /** Whether linkerd-viz may scrape and tap the proxies. */
  readonly viz: boolean;
  /** Programs other than linkerd-viz that are allowed to scrape the metrics of the proxies. */
  readonly scrapers?: readonly Scraper[];
}

/** A program that reads metrics: pods of a namespace, or programs in some networks. */
export type Scraper = { readonly namespace: string } | { readonly cidrs: readonly string[] };

/**
 * A set of pods with the same labels, service account and ports. meshops generates policies, injection settings, the
 * graph and tests from the PodSet.
 */
export interface PodSet {
  /** Name of the set. Its NetworkPolicy has the same name. Its Servers are named `<name>-<key of the port>`. */
  readonly name: string;
  /** Display name. */
  readonly title: string;
  /** Namespace of the pods; empty if the manifest does not specify a namespace. */
  readonly namespace: string;
  /** Workload that creates the pods; null if an operator creates them. */
  readonly workloadRef: { readonly kind: string; readonly name: string } | null;
  /** Label selector that selects all pods of the set and no other pods. */
  readonly selector: JsonMap;
  readonly serviceAccountName: string;
  readonly inject: "inherited" | "enabled" | "ingress" | "disabled";
  /** Settings of the proxies: annotations without the prefix `config.linkerd.io/`. */
  readonly proxy?: StringMap;
  /** Names of the Services of the pods. */
  readonly services?: readonly string[];
  /** Number of pods; null if the number is not known. */
  readonly replicas: number | null;
  /** Ports by key; empty if the pods only connect to other pods. */
  readonly ports: Readonly<Record<string, Port>>;
  readonly access: Access;
}

/** Whether a pod belongs to a set. */
export function isInSet({ metadata }: KubernetesObject, { namespace, selector }: PodSet): boolean {
  return metadata.namespace === namespace && selects(selector, metadata.labels ?? {});
}

/** Whether the pods of a set run with the given service account. */
export function hasAccount({ namespace, serviceAccountName }: PodSet, account: Account): boolean {
  return namespace === account.namespace && serviceAccountName === account.name;
}

/**
 * Returns the key of a port. The parameter `port` is the key or the number of the port. Returns null if `ports` does
 * not contain the port.
 */
export function portKey(port: string | number, ports: Readonly<Record<string, { readonly port: number }>>): string | null {
  if (typeof port === "string") return Object.hasOwn(ports, port) ? port : null;
  return Object.entries(ports).find(([, { port: number }]) => number === port)?.[0] ?? null;
}

/** Returns the ports to which a client of a set may connect, with the keys of the ports. */
export function numberedPorts({ ports }: Pick<PodSet, "ports">, client: Client): [key: string, port: Port][] {
  return Object.entries(ports).filter(([key]) => client.ports === undefined || client.ports.includes(key));
}

/** Returns the clients of a set that may connect to a port. */
export function clientsAt({ access }: Pick<PodSet, "access">, key: string): readonly Client[] {
  return access.clients.filter(({ ports }) => ports === undefined || ports.includes(key));
}

/** Returns the accounts without duplicates, in the order of their first occurrence. */
export function distinctAccounts(accounts: readonly Account[]): Account[] {
  return [...new Map(accounts.map((account) => [`${account.namespace}/${account.name}`, account])).values()];
}

/** Returns the access mode of a port: the mode of the port itself, or else the mode of its set. */
export function modeOf({ access }: Pick<PodSet, "access">, { mode = access.mode }: Port): AccessMode {
  return mode;
}

/** Whether meshops generates policies for a set of pods. */
export function isProtected(pods: Pick<PodSet, "access" | "ports">): boolean {
  return pods.access.mode !== "off" || Object.values(pods.ports).some((port) => modeOf(pods, port) !== "off");
}

/** Whether at least one port of a set is in the mode `audit`. */
export function isAudited(pods: Pick<PodSet, "access" | "ports">): boolean {
  return Object.values(pods.ports).some((port) => modeOf(pods, port) === "audit");
}

/** Whether connections to a port pass through the proxy of the pod. A Server can protect only such a port. */
export function isProxied({ transport = "TCP", skipsProxy = false }: Port): boolean {
  return transport === "TCP" && !skipsProxy;
}
