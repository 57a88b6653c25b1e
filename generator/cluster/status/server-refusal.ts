import { portKeys } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { selectsPod } from "../../kubernetes/selectors.ts";
import { admitsClient, authorizationsOf } from "../../mesh/inbound-policy.ts";
import { isLive, proxyOf } from "../../mesh/pod.ts";
import { podLists } from "../../mesh/ports.ts";
import type { Cause } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Returns the cause if a Server denies connections between a pod and another pod in the same namespace; otherwise null.
 * The connections have no identity, because one of the two pods bypasses its own proxy on the port of the Server
 * (`skip-outbound-ports`). This happens if a user changes `internalPorts` of a service to `skip`, or from `skip` to
 * another value, while the Server exists.
 */
export function serverRefusal(pod: KubernetesObject, { pods, policies }: Snapshot): Cause | null {
  const { namespace } = pod.metadata;
  const peers = pods.filter((peer) => peer !== pod && peer.metadata.namespace === namespace && isLive(peer));
  for (const server of policies.filter((each) => isClosed(each, policies) && each.metadata.namespace === namespace)) {
    const port = Number(at(server, "spec", "port"));
    const [bypassing, refusing] = bypasses(pod, port)
      ? [pod, peers.find((peer) => isEnforced(peer, server, port))]
      : [peers.find((peer) => bypasses(peer, port)), isEnforced(pod, server, port) ? pod : undefined];
    if (bypassing === undefined || refusing === undefined) continue;
    const who = `pod ${bypassing.metadata.name}`;
    return {
      code: "refused-by-server",
      reason: `Server ${server.metadata.name} denies connections from ${who}${refusing === pod ? ` to pod ${pod.metadata.name}` : ""}: ${who} bypasses its own proxy when it connects to port ${port}, but the Server requires an identity`,
      fix: "for Dgraph, set dgraph.networkPolicy: false, run meshops generate, and push; when Dgraph's pods are ready, set dgraph.networkPolicy: true, run meshops generate, and push (meshops help access, “Changing internalPorts from skip”)",
    };
  }
  return null;
}

/** Whether an object is a Server that denies clients without an identity on a port. */
function isClosed(server: KubernetesObject, policies: readonly KubernetesObject[]): boolean {
  if (server.kind !== "Server" || typeof at(server, "spec", "port") !== "number") return false;
  const everyone = authorizationsOf(server, policies).some((each) => admitsClient(each, { identity: null, address: null }));
  return !everyone && ["deny", undefined].includes(at(server, "spec", "accessPolicy") as string | undefined);
}

/** Whether a pod connects to a port without its proxy. */
function bypasses(pod: KubernetesObject, port: number): boolean {
  return podLists(pod, portKeys.skipOutbound, port);
}

/** Whether a pod's proxy enforces a Server on a port. */
function isEnforced(pod: KubernetesObject, server: KubernetesObject, port: number): boolean {
  return selectsPod(server, pod) && proxyOf(pod) !== undefined && !podLists(pod, portKeys.skipInbound, port);
}
