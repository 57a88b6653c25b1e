import type { ComponentModel } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { JsonOperation, Patch } from "../../components/patch.ts";
import type { JsonMap, KubernetesObject } from "../../kubernetes/object.ts";
import { toBundleYaml } from "../../kubernetes/yaml.ts";

/**
 * Returns the strategic merge patches that have no target. Such a patch identifies the patched object by kind and name.
 * meshops writes these patches to `patches.yaml`, for Kustomize and helmfile.
 */
export function plainPatches(patches: readonly Patch[]): KubernetesObject[] {
  return patches.flatMap(({ target, patch }) => (target === undefined && isMergePatch(patch) ? [patch] : []));
}

/** Returns the patches that have a target. */
export function targetedPatches(patches: readonly Patch[]): Patch[] {
  return patches.filter(({ target }) => target !== undefined);
}

/**
 * Returns a patch as an entry of Kustomize's list `patches`. The entry has the same form in a kustomization.yaml and in
 * Flux's post-renderer.
 */
export function inline({ target, patch }: Patch): JsonMap {
  return { ...(target === undefined ? {} : { target: { ...target } }), patch: text(patch) };
}

/**
 * Returns the transformers for helmfile: one per patch with a target, and one per image with a new name. helmfile runs
 * Kustomize with these transformers on the rendered chart. Both kinds of transformers are built into Kustomize.
 */
export function transformersOf(component: ComponentModel): JsonMap[] {
  const name = fluxName(component.id);
  const builtin = (kind: string, suffix: string, fields: JsonMap): JsonMap => ({
    apiVersion: "builtin",
    kind,
    metadata: { name: `${name}-${suffix}` },
    ...fields,
  });
  return [
    ...targetedPatches(component.patches).map((patch, index) => builtin("PatchTransformer", `${index}`, inline(patch))),
    ...imageNames(component).map((imageTag, index) => builtin("ImageTagTransformer", `image-${index}`, { imageTag })),
  ];
}

/**
 * Returns the new names of images as entries of Kustomize's list `images`. The tags and digests do not change. The
 * entries have the same form in a kustomization.yaml and in Flux's post-renderer.
 */
export function imageNames({ imageNames: names }: Pick<ComponentModel, "imageNames">): JsonMap[] {
  return Object.entries(names).map(([name, newName]) => ({ name, newName }));
}

function text(patch: Patch["patch"]): string {
  return toBundleYaml([isMergePatch(patch) ? patch : (patch as unknown as JsonMap)]);
}

function isMergePatch(patch: KubernetesObject | readonly JsonOperation[]): patch is KubernetesObject {
  return !Array.isArray(patch);
}
