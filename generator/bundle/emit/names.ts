import type { ComponentModel } from "../../components/model.ts";
import type { JsonMap } from "../../kubernetes/object.ts";

/**
 * Namespace of Flux, the names of the GitRepository and the root Kustomization that `flux bootstrap` creates, and the
 * name of the Secret with the age key.
 */
export const flux = { namespace: "flux-system", source: "flux-system", root: "flux-system" } as const;

/** Name of a component's Kustomization and HelmRelease, and of its helmfile release if it has no chart. */
export function fluxName(id: string): string {
  return id.replaceAll("/", "-");
}

/** Labels of every object that meshops writes. */
export function commonLabels({ group: partOf }: Pick<ComponentModel, "group">): JsonMap {
  return { "app.kubernetes.io/managed-by": "meshops", "app.kubernetes.io/part-of": partOf };
}
