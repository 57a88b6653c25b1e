import { identityRevisionKey } from "../catalog/well-known.ts";
import type { KubernetesObject, StringMap } from "../kubernetes/object.ts";
import type { Patch } from "./patch.ts";

/**
 * Returns an annotation for meshed pod templates. The value of the annotation changes when the pods must restart to
 * stay in the mesh. Returns no annotation if the revision is not known at render time.
 */
export function revisionAnnotation(revision: string | null): StringMap {
  return revision === null ? {} : { [identityRevisionKey]: revision };
}

/**
 * Returns a patch that adds the Secrets with the credentials of a registry to a Deployment. Returns an empty list if
 * `names` is undefined.
 */
export function pullSecretPatches(metadata: KubernetesObject["metadata"], names: readonly string[] | undefined): Patch[] {
  if (names === undefined) return [];
  const imagePullSecrets = names.map((name) => ({ name }));
  return [{ patch: { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { template: { spec: { imagePullSecrets } } } } }];
}

/** Returns a strategic merge patch that annotates the pod template of a workload. */
export function annotatePods(
  kind: "Deployment" | "StatefulSet",
  metadata: KubernetesObject["metadata"],
  annotations: StringMap,
): Patch {
  return { patch: { apiVersion: "apps/v1", kind, metadata, spec: { template: { metadata: { annotations } } } } };
}

/** Sentence about the meshed pods that do not restart if the identity of the mesh or the Linkerd release changes. */
export const notRestarted: string =
  "Two groups of meshed pods do not restart automatically: pods that meshops does not deploy, and pods of workloads with restart: manual, or with inject: inherited and no proxy settings";
