import type { ComponentModel } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { JsonOperation, Patch } from "../../components/patch.ts";
import type { JsonMap, KubernetesObject } from "../../kubernetes/object.ts";
import { toBundleYaml } from "../../kubernetes/yaml.ts";

/**
 * Strategic merge patches without a target, which identify the patched object by kind and name. These patches are
 * written to `patches.yaml`, for Kustomize and helmfile.
 */
export function plainPatches(patches: readonly Patch[]): KubernetesObject[] {
  return patches.flatMap(({ target, patch }) => (target === undefined && isMergePatch(patch) ? [patch] : []));
}

/** Patches with a target. */
export function targetedPatches(patches: readonly Patch[]): Patch[] {
  return patches.filter(({ target }) => target !== undefined);
}

/**
 * A patch as an entry of Kustomize's list `patches`. The entry has the same form in a kustomization.yaml and in Flux's
 * post-renderer.
 */
export function inline({ target, patch }: Patch): JsonMap {
  return { ...(target === undefined ? {} : { target: { ...target } }), patch: text(patch) };
}

/**
 * Patches with a target, for helmfile: one PatchTransformer per patch. PatchTransformer is built into Kustomize, and
 * helmfile runs Kustomize on the rendered chart.
 */
export function patchTransformers({ id, patches }: ComponentModel): JsonMap[] {
  return targetedPatches(patches).map((patch, index) => ({
    apiVersion: "builtin",
    kind: "PatchTransformer",
    metadata: { name: `${fluxName(id)}-${index}` },
    ...inline(patch),
  }));
}

function text(patch: Patch["patch"]): string {
  return toBundleYaml([isMergePatch(patch) ? patch : (patch as unknown as JsonMap)]);
}

function isMergePatch(patch: KubernetesObject | readonly JsonOperation[]): patch is KubernetesObject {
  return !Array.isArray(patch);
}
