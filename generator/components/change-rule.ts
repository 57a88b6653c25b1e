import type { Risk } from "./risk-levels.ts";

/** A field that differs. `undefined` where it is not there. */
export interface FieldChange {
  /** `spec.values.alpha.replicaCount`, `spec.template.spec.containers[app].image`; `[]` is an entry of a list whose order means nothing. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** A change of one object, before it is judged. */
export interface ChangedObject {
  readonly change: "added" | "removed" | "changed";
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly fields: readonly FieldChange[];
  /** The object as it was; empty where it is added. */
  readonly before: Readonly<Record<string, unknown>>;
  /** The object as it will be; empty where it is removed. */
  readonly after: Readonly<Record<string, unknown>>;
}

/** One thing that a change does, and what the user should know of it. */
export interface Assessment {
  readonly risk: Risk;
  readonly reason: string;
}

/** Finds what a change does. Independent of other rules; yields nothing for a change that it does not know. */
export interface ChangeRule {
  assess(changed: ChangedObject, all: readonly ChangedObject[]): Iterable<Assessment>;
}
