import { ManifestSet, specOf } from "../kubernetes/manifest-set.ts";
import type { Manifest } from "../kubernetes/read.ts";
import { selects } from "../kubernetes/selectors.ts";
import { listOf, type Workload } from "../kubernetes/workload.ts";
import { asMap } from "../system/data.ts";
import { isSame } from "./reference-kind.ts";

/** Whether a Server selects the pods of a workload. A Server for external workloads has no `podSelector`. */
export function serverSelects(server: Manifest, { manifest, labels }: Workload): boolean {
  const { podSelector } = specOf(server);
  const near = ManifestSet.mayShareNamespace(manifest.namespace, server.namespace);
  return podSelector !== undefined && near && selects(podSelector, labels);
}

/** Returns the HTTPRoutes and GRPCRoutes that are attached to a Server. */
export function routesOfServer(server: Manifest, stream: ManifestSet): Manifest[] {
  const routes = [
    ...stream.ofKind("policy.linkerd.io", "HTTPRoute"),
    ...stream.ofKind("gateway.networking.k8s.io", "HTTPRoute", "GRPCRoute"),
  ];
  return routes.filter(
    (route) =>
      ManifestSet.mayShareNamespace(route.namespace, server.namespace) &&
      listOf(specOf(route)["parentRefs"])
        .map(asMap)
        .some(({ kind, name }) => isSame(kind, "Server") && name === server.name),
  );
}
