import type { Environment } from "../spec/environment.generated.ts";
import type { Risk } from "./risk-levels.ts";

/**
 * A changed field. `before` is undefined if the change adds the field, and `after` is undefined if the change removes
 * it.
 */
export interface FieldChange {
  /**
   * Path of the field, such as `spec.values.alpha.replicaCount` or `spec.template.spec.containers[app].image`. In a
   * path, `[]` means an entry of a list in which the order of the entries has no meaning.
   */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A change of one object, without an assessment of the risks. */
export interface ChangedObject {
  readonly change: "added" | "removed" | "changed";
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly fields: readonly FieldChange[];
  /** The object before the change; empty if the change adds the object. */
  readonly before: Readonly<Record<string, unknown>>;
  /** The object after the change; empty if the change removes the object. */
  readonly after: Readonly<Record<string, unknown>>;
}

/** One step of a procedure. */
export interface Step {
  readonly text: string;
  /** Shell command of the step. It can be copied to a terminal. */
  readonly command?: string;
  /**
   * `before`: a check or a preparation before all other steps of the commit. `push`: the user pushes a commit. `last`:
   * a step that must come after all other steps. It verifies the result, or it removes objects that the other steps
   * need, such as old volumes. `stop`: the user must not push the commit at all, so meshops shows no other steps.
   */
  readonly phase?: "before" | "push" | "last" | "stop";
  /**
   * Whether this push can be the common push of several procedures. The push step of each of these procedures must set
   * this field.
   */
  readonly shared?: true;
}

/** Step in which the user pushes the commit with the change. */
export const push: Step = { text: "Push the commit.", phase: "push" };

/** Push step of a procedure that renames or moves Flux objects. Several such procedures can have one common push. */
export const sharedPush: Step = { ...push, shared: true };

/** Steps for one effect of a change, in order of execution. */
export interface Procedure {
  readonly risk: Risk;
  /** The effect that requires the steps. */
  readonly reason: string;
  readonly steps: readonly Step[];
}

/** One effect of a change: the risk of this effect, and an explanation for the user. */
export interface Assessment {
  readonly risk: Risk;
  readonly reason: string;
  /** Steps that the user must do, in order of execution. */
  readonly steps?: readonly Step[];
  /** Steps that the user must do before the steps of all other assessments of the same change. */
  readonly prerequisites?: readonly Step[];
}

/** The assessment of a change. It combines the assessments of all effects of the change. */
export interface Assessed {
  readonly risk: Risk;
  /** One reason per line. */
  readonly reason: string;
  /** All steps for the change, in order of execution. */
  readonly steps: readonly Step[];
  /** The procedures that `steps` consists of. If omitted, `steps` is a single procedure. */
  readonly procedures?: readonly Procedure[];
}

/** All changed objects of an environment. */
export interface ChangeSet {
  readonly environment: string;
  readonly objects: readonly ChangedObject[];
  /** The specs before and after the change. A spec is null if it does not exist or has errors. */
  readonly specs: Readonly<Record<"before" | "after", Environment | null>>;
}

/**
 * Assesses the effects of a change. Rules are independent of each other. A rule yields nothing for a change to which
 * the rule does not apply.
 */
export interface ChangeRule {
  readonly assess: (changed: ChangedObject, all: ChangeSet) => Iterable<Assessment>;
}
