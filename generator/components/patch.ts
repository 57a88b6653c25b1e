import type { Json, KubernetesObject } from "../kubernetes/object.ts";

/** What a patch applies to, in Kustomize's form (kustomize, api/types/selector.go); what is left out matches everything. */
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

/** A patch on objects: a strategic merge patch, or a JSON patch. */
export interface Patch {
  /** Left out: the one object that the strategic merge patch itself names. */
  readonly target?: PatchTarget;
  readonly patch: KubernetesObject | readonly JsonOperation[];
}
