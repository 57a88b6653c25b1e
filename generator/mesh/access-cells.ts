import { meshedLabel } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { AttemptClient, Installation } from "./attempt.ts";
import { evaluate } from "./evaluate.ts";
import { includes, parsePorts } from "./ports.ts";

/**
 * Whether a client can connect to a port. `counted` means that the client can connect only because of the mode `audit`.
 * Linkerd counts and logs such a connection.
 */
type Access = "allowed" | "counted" | "refused";

/** One cell of the access table: a client and a port. */
export interface AccessCell {
  readonly client: string;
  /** Set of pods, such as `shop/api`. */
  readonly server: string;
  /** Name of the port. */
  readonly key: string;
  readonly port: number;
  readonly access: Access;
  /** Port at which the connection arrives at the pod. */
  readonly arrivesAt: number;
  /**
   * Whether the NetworkPolicies admit the connection, and the names of the NetworkPolicies that determine this result.
   */
  readonly network: { readonly admits: boolean; readonly policies: readonly string[] };
  /** Whether Linkerd admits the connection, and the object or another reason that determines this result. */
  readonly mesh: { readonly admits: boolean; readonly by: string };
}

/** A client of the access table. */
export interface AccessClient {
  readonly title: string;
  readonly from: AttemptClient;
}

/** A set of pods in the access table. The set is both a client (row) and a server (columns). */
export interface AccessPods extends AccessClient {
  readonly pod: KubernetesObject;
  readonly ports: readonly { readonly key: string; readonly port: number }[];
  /** Clients that the spec lists for these pods, and whose own pods are not in the table. */
  readonly listed: readonly AccessClient[];
}

/** Title of the row for meshed clients that no set of pods lists as a client. */
export const otherMeshed = "other meshed pods";
/** Title of the row for clients without a proxy. */
export const unmeshed = "pods without a proxy";

/**
 * Returns one cell for each client and each port. The clients are the pods of the table, the listed clients, other
 * meshed pods, and pods without a proxy. The cells do not show that Linkerd always allows requests on the paths of HTTP
 * probes.
 */
export function accessCells(
  all: readonly AccessPods[],
  objects: readonly KubernetesObject[],
  installation: Installation,
): AccessCell[] {
  const others = [
    { title: otherMeshed, from: clientPod("a-namespace", { namespace: "a-namespace", name: "an-account" }) },
    { title: unmeshed, from: clientPod("a-namespace", null) },
  ];
  return all.flatMap(({ title: server, pod, ports, listed }) => {
    const titles = new Set(all.map(({ title }) => title));
    const accounts = listed.map((client) =>
      titles.has(client.title) ? { ...client, title: `${client.title} (account)` } : client,
    );
    const clients = new Map([...all, ...accounts, ...others].map((client) => [client.title, client]));
    return [...clients.values()].flatMap(({ title: client, from: own }) =>
      ports.map(({ key, port }): AccessCell => {
        const from = skipsProxy(own, port) ? { ...own, identity: null } : own;
        const { counted, admitted, network, mesh } = evaluate({ from, to: pod, port }, objects, installation);
        const policies = network.admitting.length > 0 ? network.admitting : network.selecting;
        return {
          client,
          server,
          key,
          port,
          access: counted ? "counted" : admitted ? "allowed" : "refused",
          arrivesAt: network.port,
          network: { admits: network.admits, policies },
          mesh: { admits: mesh.admits, by: mesh.by },
        };
      }),
    );
  });
}

/** Whether the connections of a client to a port bypass the client's proxy. Such connections have no identity. */
function skipsProxy({ skippedOutbound = "" }: AttemptClient, port: number): boolean {
  return includes(parsePorts(skippedOutbound), port);
}

/** Returns a client in a pod. The pod has a proxy if `identity` is not null. */
export function clientPod(namespace: string, identity: AttemptClient["identity"]): AttemptClient {
  return { namespace, labels: identity === null ? {} : { [meshedLabel]: "linkerd" }, identity };
}
