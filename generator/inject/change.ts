import type { Path } from "../diagnostics/source.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { Manifest } from "../kubernetes/read.ts";

/** A value of an object that is set. */
export interface Change {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly value: unknown;
}

/** An object that is added, and the one that it is for. */
export interface Addition {
  readonly object: KubernetesObject;
  readonly beside: Manifest;
}

/** Something that whoever asked should know of an object. */
export interface Note {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
}
