import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import { selects } from "../kubernetes/selectors.ts";

/** How the proxy of a pod treats a port: the values of `Server.proxyProtocol`. */
export type Protocol = "HTTP/1" | "HTTP/2" | "gRPC" | "TLS" | "opaque" | "unknown";

/** A port of pods. */
export interface Port {
  readonly port: number;
  /** TCP if left out. */
  readonly transport?: "TCP" | "UDP";
  readonly protocol: Protocol;
  /** Whether connections to the port bypass the proxy. No Server can protect such a port. */
  readonly skipsProxy?: boolean;
  /** Purpose of the port, if its key does not make it clear. */
  readonly purpose?: string;
}

/** Service account: the identity of a meshed workload. */
export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** A client of pods. */
export interface Client {
  readonly serviceAccountRef: Account;
  /** Keys of the ports that it may use; all of them if left out. */
  readonly ports?: readonly string[];
  /**
   * Label selector of the client's pods, if they run in the same namespace as the pods and also connect without a
   * proxy. The NetworkPolicy then admits only these pods, at the proxy's port and at the port itself.
   */
  readonly podSelector?: JsonMap;
}

/** Access to pods, in both layers: network and mesh. */
interface Access {
  /** `off`: no policies; `enforce`: only `clients` are admitted. */
  readonly mode: "off" | "enforce";
  readonly clients: readonly Client[];
  /** Whether viz may scrape and tap the proxies. */
  readonly viz: boolean;
}

/**
 * A set of pods that share labels, a service account and ports. Policies, injection, graph and tests use this
 * description.
 */
export interface PodSet {
  /** Name of the set; its NetworkPolicy has the same name, its Servers `<name>-<key of the port>`. */
  readonly name: string;
  /** Display name. */
  readonly title: string;
  /** Empty if the manifest does not specify one. */
  readonly namespace: string;
  /** Workload that creates the pods. */
  readonly workloadRef: { readonly kind: string; readonly name: string };
  /** Label selector that selects all pods of the set and no others. */
  readonly selector: JsonMap;
  readonly serviceAccountName: string;
  readonly inject: "inherited" | "enabled" | "ingress" | "disabled";
  /** Number of pods; null if it is not known. */
  readonly replicas: number | null;
  /** Ports by key; empty if the pods are only clients. */
  readonly ports: Readonly<Record<string, Port>>;
  readonly access: Access;
}

/** Whether a pod belongs to a set. */
export function isInSet({ metadata }: KubernetesObject, { namespace, selector }: PodSet): boolean {
  return metadata.namespace === namespace && selects(selector, metadata.labels ?? {});
}

/** The ports of a set that a client may use, with their keys. */
export function portsOf({ ports }: Pick<PodSet, "ports">, client: Client): [key: string, port: Port][] {
  return Object.entries(ports).filter(([key]) => client.ports === undefined || client.ports.includes(key));
}

/** Whether connections to a port pass through the proxy of its pod, so that a Server can protect the port. */
export function isProxied({ transport = "TCP", skipsProxy = false }: Port): boolean {
  return transport === "TCP" && !skipsProxy;
}
