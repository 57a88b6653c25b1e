import { gatewayGroup, policyGroup } from "../catalog/well-known.ts";
import { ManifestSet, specOf } from "../kubernetes/manifest-set.ts";
import type { Manifest } from "../kubernetes/read.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { isAttachedTo, serverSelects } from "./policy-readers.ts";

/** Whether a Server selects the pods of a workload. An object without a namespace can be in any namespace. */
export function mayBeServerOf(server: Manifest, { manifest, labels }: Workload): boolean {
  return ManifestSet.mayShareNamespace(manifest.namespace, server.namespace) && serverSelects(specOf(server), labels);
}

/** Returns the HTTPRoutes and GRPCRoutes that are attached to a Server. */
export function routesOfServer(server: Manifest, stream: ManifestSet): Manifest[] {
  const routes = [...stream.ofKind(policyGroup, "HTTPRoute"), ...stream.ofKind(gatewayGroup, "HTTPRoute", "GRPCRoute")];
  return routes.filter(
    (route) => ManifestSet.mayShareNamespace(route.namespace, server.namespace) && isAttachedTo(specOf(route), server.name),
  );
}
