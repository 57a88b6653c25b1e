import type { Risk } from "./risk-levels.ts";

/** A field that differs. `before` or `after` is undefined if the field does not exist on that side. */
export interface FieldChange {
  /**
   * `spec.values.alpha.replicaCount`, `spec.template.spec.containers[app].image`; `[]` is an entry of a list whose
   * order has no meaning.
   */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A change of one object, before its risks are assessed. */
export interface ChangedObject {
  readonly change: "added" | "removed" | "changed";
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly fields: readonly FieldChange[];
  /** The object before the change; empty if it is added. */
  readonly before: Readonly<Record<string, unknown>>;
  /** The object after the change; empty if it is removed. */
  readonly after: Readonly<Record<string, unknown>>;
}

/** One effect of a change: its risk, and an explanation for the user. */
export interface Assessment {
  readonly risk: Risk;
  readonly reason: string;
}

/**
 * Assesses the effects of a change. Rules are independent of each other; a rule yields nothing for a change that it
 * does not cover.
 */
export interface ChangeRule {
  assess(changed: ChangedObject, all: readonly ChangedObject[]): Iterable<Assessment>;
}
