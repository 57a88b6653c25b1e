import { portKeys } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { evaluate } from "../../mesh/evaluate.ts";
import { serverPort } from "../../mesh/inbound-policy.ts";
import { isLive } from "../../mesh/pod.ts";
import { podLists } from "../../mesh/ports.ts";
import type { Cause } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Returns the cause if a Server denies connections between a pod and another pod in the same namespace; otherwise null.
 * The connections have no identity, because the client pod bypasses its own proxy on the port of the Server
 * (`skip-outbound-ports`). This happens if a user changes `internalPorts` of a service to `skip`, or from `skip` to
 * another value, while the Server exists.
 */
export function serverRefusal(pod: KubernetesObject, { pods, policies, installation }: Snapshot): Cause | null {
  const { namespace } = pod.metadata;
  const peers = pods.filter((peer) => peer !== pod && peer.metadata.namespace === namespace && isLive(peer));
  const pairs = peers.flatMap((peer) => [[pod, peer] as const, [peer, pod] as const]);
  for (const server of policies.filter(({ kind }) => kind === "Server"))
    for (const [bypassing, refusing] of pairs) {
      const port = serverPort(server, refusing);
      if (port === null || !podLists(bypassing, portKeys.skipOutbound, port)) continue;
      const from = { namespace: namespace ?? "", labels: bypassing.metadata.labels ?? {}, identity: null };
      const { mesh } = evaluate({ from, to: refusing, port }, policies, installation);
      if (mesh.admits || mesh.server !== server) continue;
      const who = `pod ${bypassing.metadata.name}`;
      return {
        code: "refused-by-server",
        reason: `Server ${server.metadata.name} refuses connections from ${who}${refusing === pod ? ` to pod ${pod.metadata.name}` : ""}. On port ${port}, ${who} bypasses its own proxy, so its connections do not have the mesh identity that the Server requires`,
        fix: "for Dgraph, set dgraph.networkPolicy: false, run meshops generate, and push; when Dgraph's pods are ready, set dgraph.networkPolicy: true, run meshops generate, and push (meshops help access, “Changing internalPorts from skip”)",
      };
    }
  return null;
}
