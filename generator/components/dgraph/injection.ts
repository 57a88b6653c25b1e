import { type DgraphRole, dgraphPorts } from "../../catalog/dgraph.ts";
import { injectKey, portKeys } from "../../catalog/well-known.ts";
import type { StringMap } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Annotations that enable injection for a Dgraph pod and configure how the proxy treats the pod's internal ports. In
 * mode `skip`, the function returns the same annotations as `linkerd inject --skip-inbound-ports 5080,7080
 * --skip-outbound-ports 5080,7080`. All values are strings, because Kubernetes accepts only strings in annotations.
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
 * Annotation that marks a port as opaque. Both the Service and its pods need the annotation. If a client connects to
 * the IP address of a pod, the client's proxy uses the annotation of the pod. If a client connects to the cluster IP
 * address of a Service, the client's proxy uses the annotation of the Service (Linkerd docs, "Protocol detection").
 */
export function opaque(port: number): StringMap {
  return { [portKeys.opaque]: String(port) };
}
