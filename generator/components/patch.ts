import type { Json, KubernetesObject } from "../kubernetes/object.ts";

/** Target of a patch, in Kustomize's format (kustomize, api/types/selector.go). Omitted fields match everything. */
export interface PatchTarget {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

/** One operation of a JSON patch (RFC 6902). */
export interface JsonOperation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: string;
  readonly from?: string;
  readonly value?: Json;
}

/** A strategic merge patch or a JSON patch. */
export interface Patch {
  /**
   * If omitted, `patch` must be a strategic merge patch. Kustomize then applies the patch to the object with the kind,
   * name and namespace that the patch contains.
   */
  readonly target?: PatchTarget;
  readonly patch: KubernetesObject | readonly JsonOperation[];
}
