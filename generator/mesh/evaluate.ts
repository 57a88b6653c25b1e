import { proxyPorts } from "../catalog/linkerd.ts";
import { portKeys } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import type { Attempt, Installation } from "./attempt.ts";
import { type MeshVerdict, meshVerdict } from "./evaluate-mesh.ts";
import { type NetworkVerdict, networkVerdict } from "./evaluate-network.ts";
import { serverOf } from "./inbound-policy.ts";
import { proxyOf } from "./pod.ts";
import { isOpaqueForClients, podLists } from "./ports.ts";

/** Decision of the network layer (NetworkPolicies) and of the mesh layer (Linkerd's policies) together. */
export interface Verdict {
  readonly admitted: boolean;
  /** Whether the client is admitted only because of the mode `audit`. Linkerd counts and logs this client. */
  readonly counted: boolean;
  /**
   * First layer that refuses the connection, and the object that causes the refusal. Null if the connection is
   * admitted.
   */
  readonly refusedBy: { readonly layer: "network" | "mesh"; readonly object: string } | null;
  readonly network: NetworkVerdict;
  readonly mesh: MeshVerdict;
}

/**
 * Determines whether a connection to a port of a pod is admitted. Evaluates NetworkPolicies, Servers, routes,
 * AuthorizationPolicies, ServerAuthorizations and authentications. The mesh layer admits every connection to a pod
 * without a proxy, and to a port in the pod's `skip-inbound-ports`. This function does not evaluate egress rules, rate
 * limits, connections that are already open, or headers in the matches of routes.
 *
 * @param objects policies of any namespace; objects of other kinds are ignored
 */
export function evaluate(attempt: Attempt, objects: readonly KubernetesObject[], installation: Installation): Verdict {
  const { from, to, port } = attempt;
  const bypassed = proxyOf(to) === undefined || podLists(to, portKeys.skipInbound, port) || from.from === "loopback";
  const identity = bypassed ? null : from.identity;
  const opaque = isOpaqueForClients(to, port) || at(serverOf(to, port, objects), "spec", "proxyProtocol") === "opaque";
  const toProxy = Object.values<number>(proxyPorts).includes(port);
  const arrivesAtProxy = identity !== null && !toProxy && (installation.release.traits.transportHeader || opaque);
  const network = networkVerdict(attempt, arrivesAtProxy ? proxyPorts.inbound : port, objects);
  const client = { identity, address: from.address ?? null };
  const mesh = meshVerdict({ ...attempt, client, bypassed }, objects, installation);
  const refusedBy = network.admits
    ? mesh.admits
      ? null
      : ({ layer: "mesh", object: mesh.by } as const)
    : ({ layer: "network", object: `NetworkPolicy ${network.selecting.join(", ")}` } as const);
  return { admitted: refusedBy === null, counted: refusedBy === null && mesh.counted, refusedBy, network, mesh };
}
