import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import { selects } from "../kubernetes/selectors.ts";

/** How the proxy of a pod treats a port. The values are those of the field `proxyProtocol` of a Server. */
export type Protocol = "HTTP/1" | "HTTP/2" | "gRPC" | "TLS" | "opaque" | "unknown";

/** A port on which pods listen. */
export interface Port {
  readonly port: number;
  /** Transport protocol; default: TCP. */
  readonly transport?: "TCP" | "UDP";
  readonly protocol: Protocol;
  /** Whether connections to the port bypass the proxy. A Server cannot protect such a port. */
  readonly skipsProxy?: boolean;
  /** Purpose of the port. Set if the key of the port does not make the purpose clear. */
  readonly purpose?: string;
}

/** A service account. It is the identity of a meshed workload. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** A client that connects to the pods of a set. */
export interface Client {
  readonly serviceAccountRef: Account;
  /** Keys of the ports to which the client may connect; default: all ports. */
  readonly ports?: readonly string[];
  /**
   * Label selector of the client's pods. Set it only if these pods run in the namespace of the set and also connect
   * without a proxy. The NetworkPolicy then admits only these pods, both at the proxy's inbound port and at the port
   * itself.
   */
  readonly podSelector?: JsonMap;
}

/** Access to the pods of a set, in the network layer and in the mesh layer. */
interface Access {
  /** `off`: no policies are generated; `enforce`: only `clients` are admitted. */
  readonly mode: "off" | "enforce";
  readonly clients: readonly Client[];
  /** Whether linkerd-viz may scrape and tap the proxies. */
  readonly viz: boolean;
}

/**
 * A set of pods that share labels, a service account and ports. Policies, injection, the graph and tests use this
 * description.
 */
export interface PodSet {
  /** Name of the set. Its NetworkPolicy has the same name. Its Servers are named `<name>-<key of the port>`. */
  readonly name: string;
  /** Display name. */
  readonly title: string;
  /** Namespace of the pods; empty if the manifest does not specify a namespace. */
  readonly namespace: string;
  /** Workload that creates the pods. */
  readonly workloadRef: { readonly kind: string; readonly name: string };
  /** Label selector that selects all pods of the set and no other pods. */
  readonly selector: JsonMap;
  readonly serviceAccountName: string;
  readonly inject: "inherited" | "enabled" | "ingress" | "disabled";
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

/** Returns the ports of a set to which a client may connect, with their keys. */
export function portsOf({ ports }: Pick<PodSet, "ports">, client: Client): [key: string, port: Port][] {
  return Object.entries(ports).filter(([key]) => client.ports === undefined || client.ports.includes(key));
}

/** Whether connections to a port pass through the proxy of its pod, so that a Server can protect the port. */
export function isProxied({ transport = "TCP", skipsProxy = false }: Port): boolean {
  return transport === "TCP" && !skipsProxy;
}
