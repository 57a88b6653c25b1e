import type { ComponentModel } from "../../components/model.ts";
import type { JsonOperation, Patch } from "../../components/patch.ts";
import type { JsonMap, KubernetesObject } from "../../kubernetes/object.ts";
import { toBundleYaml } from "../../kubernetes/yaml.ts";
import { fluxName } from "./names.ts";

/**
 * Strategic merge patches that identify their object by kind and name. They are written to `patches.yaml`, for
 * Kustomize and helmfile.
 */
export function plainPatches(patches: readonly Patch[]): KubernetesObject[] {
  return patches.flatMap(({ target, patch }) => (target === undefined && isMergePatch(patch) ? [patch] : []));
}

/** All other patches, which have a target. */
export function targetedPatches(patches: readonly Patch[]): Patch[] {
  return patches.filter(({ target }) => target !== undefined);
}

/** A patch as a list entry of Kustomize, which has the same form in a kustomization and in Flux's post-renderer. */
export function inline({ target, patch }: Patch): JsonMap {
  return { ...(target === undefined ? {} : { target: { ...target } }), patch: text(patch) };
}

/**
 * Patches with a target, for helmfile: one PatchTransformer per patch. This is a builtin of Kustomize, which helmfile
 * runs on the rendered chart.
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
