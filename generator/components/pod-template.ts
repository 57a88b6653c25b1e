import type { KubernetesObject, StringMap } from "../kubernetes/object.ts";
import type { Patch } from "./patch.ts";

/** Annotation on meshed pod templates that restarts the pods when identity demands it; none if the revision is not known when rendering. */
export function revisionAnnotation(revision: string | null): StringMap {
  return revision === null ? {} : { "meshops.dev/identity-revision": revision };
}

/** A strategic merge patch that annotates the pod template of a workload. */
export function annotatePods(
  kind: "Deployment" | "StatefulSet",
  metadata: KubernetesObject["metadata"],
  annotations: StringMap,
): Patch {
  return { patch: { apiVersion: "apps/v1", kind, metadata, spec: { template: { metadata: { annotations } } } } };
}
