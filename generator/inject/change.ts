import type { Path } from "../diagnostics/source.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { Manifest } from "../kubernetes/read.ts";

/** A value to set in an object. */
export interface Change {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly value: unknown;
}

/** An object to add, and the existing object to which the added object applies. */
export interface Addition {
  readonly object: KubernetesObject;
  readonly beside: Manifest;
}

/** A message to the user about an object. */
export interface Note {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
}
