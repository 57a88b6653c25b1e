import { portKeys } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { selectsPod } from "../../kubernetes/selectors.ts";
import { authorizationsOf } from "../../mesh/inbound-policy.ts";
import { isLive, proxyOf } from "../../mesh/pod.ts";
import { includes, parsePorts } from "../../mesh/ports.ts";
import type { Cause } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Returns the cause if a Server denies a pod's connections to other pods of its workload. The pod bypasses its own
 * proxy on a port (`skip-outbound-ports`), so its connections to this port have no identity. Pods whose proxies handle
 * this port reject the connections. This happens if `internalPorts` of Dgraph changes from `skip` to another value
 * while policies exist.
 */
export function serverRefusal(pod: KubernetesObject, { pods, policies }: Snapshot): Cause | null {
  const bypassed = parsePorts(pod.metadata.annotations?.[portKeys.skipOutbound]);
  const servers = policies.filter(({ kind, metadata, spec }) => {
    const port = at(spec, "port");
    return (
      kind === "Server" && metadata.namespace === pod.metadata.namespace && typeof port === "number" && includes(bypassed, port)
    );
  });
  for (const server of servers) {
    const port = Number(at(server, "spec", "port"));
    const everyone = authorizationsOf(server, policies).some(({ accounts }) => accounts.includes("*"));
    const open = everyone || !["deny", undefined].includes(at(server, "spec", "accessPolicy") as string | undefined);
    const enforced = pods.some((peer) => peer !== pod && isLive(peer) && isEnforced(peer, server, port));
    if (open || !enforced) continue;
    const { name } = server.metadata;
    return {
      code: "refused-by-server",
      reason: `Server ${name} denies connections of pod ${pod.metadata.name}: the pod connects to port ${port} without its proxy, but the Server requires an identity`,
      fix: "set dgraph.networkPolicy to false, generate and push; when Dgraph is ready, set dgraph.networkPolicy to its old value (meshops help access, “Changing internalPorts”)",
    };
  }
  return null;
}

/** Whether a pod's proxy enforces a Server on a port. */
function isEnforced(pod: KubernetesObject, server: KubernetesObject, port: number): boolean {
  return (
    selectsPod(server, pod) &&
    proxyOf(pod) !== undefined &&
    !includes(parsePorts(pod.metadata.annotations?.[portKeys.skipInbound]), port)
  );
}
