import type { Environment } from "../spec/environment.generated.ts";
import type { Risk } from "./risk-levels.ts";

/** A field that differs. `before` is undefined if the field was added, and `after` is undefined if it was removed. */
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
   * `push`: the user pushes a commit. `before`: the step comes before the push. Steps before a push in the same list need
   * no phase. If a list contains no push, steps without a phase come after the push.
   */
  readonly phase?: "before" | "push";
}

/** Step in which the user pushes the commit with the change. */
export const push: Step = { text: "Push the commit.", phase: "push" };

/** One effect of a change: the risk of this effect, and an explanation for the user. */
export interface Assessment {
  readonly risk: Risk;
  readonly reason: string;
  /** Steps that the user must do, in this order. */
  readonly steps?: readonly Step[];
  /** Steps that the user must do before the steps of all other assessments of the same change. */
  readonly prerequisites?: readonly Step[];
}

/** The assessment of a change, after all its effects have been combined. */
export type Assessed = Required<Omit<Assessment, "prerequisites">>;

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
  assess(changed: ChangedObject, all: ChangeSet): Iterable<Assessment>;
}
