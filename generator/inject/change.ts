import type { Path } from "../diagnostics/source.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { Manifest } from "../kubernetes/read.ts";

/** A change of an object: the value to set at a path of the object. */
export interface Change {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly value: unknown;
}

/** A policy to add, and the workload to which this policy applies. */
export interface Addition {
  readonly object: KubernetesObject;
  readonly workload: Manifest;
}

/** A message to the user about an object. */
export interface Note {
  readonly manifest: Manifest;
  readonly path: Path;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
}
