import type { KubernetesObject } from "../kubernetes/object.ts";
import type { Annotations } from "../mesh/injection.ts";

/** Annotation on meshed pod templates; see `identityRevision`. */
export function revisionAnnotation(revision: string): Annotations {
  return { "meshops.dev/identity-revision": revision };
}

/** A strategic-merge patch that annotates the pod template of a workload. */
export function annotatePods(
  kind: "Deployment" | "StatefulSet",
  metadata: { readonly name: string; readonly namespace?: string },
  annotations: Annotations,
): KubernetesObject {
  return { apiVersion: "apps/v1", kind, metadata, spec: { template: { metadata: { annotations } } } };
}
