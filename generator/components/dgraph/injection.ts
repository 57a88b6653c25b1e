import { type DgraphRole, dgraphPorts } from "../../catalog/dgraph.ts";
import { injectKey, portKeys } from "../../catalog/well-known.ts";
import type { StringMap } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * The annotations that make Linkerd inject a Dgraph pod, and say how its internal ports pass the proxy.
 * In mode `skip` they are what `linkerd inject --skip-inbound-ports 5080,7080 --skip-outbound-ports 5080,7080` writes.
 * All values are strings, as Kubernetes demands of annotations.
 */
export function injectionAnnotations(role: DgraphRole, mode: Environment["spec"]["dgraph"]["internalPorts"]): StringMap {
  const all = [dgraphPorts.zero.internal, dgraphPorts.alpha.internal].join(",");
  switch (mode) {
    case "skip":
      return {
        [portKeys.skipInbound]: all,
        [portKeys.skipOutbound]: all,
        [injectKey]: "enabled",
      };
    case "opaque":
      return { ...opaque(dgraphPorts[role].internal), [injectKey]: "enabled" };
    case "mesh":
      return { [injectKey]: "enabled" };
  }
}

/**
 * The annotation that a Service with an opaque port needs, so that clients' proxies know it too: the pod's own
 * annotation is read for pod addresses, the Service's for cluster addresses (Linkerd docs, "Protocol detection").
 */
export function opaque(port: number): StringMap {
  return { [portKeys.opaque]: String(port) };
}
