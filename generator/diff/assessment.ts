import type { FieldChange } from "./fields.ts";
import type { Risk } from "./risk-levels.ts";

/** A change of one object, before it is judged. */
export interface Changed {
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

/** One thing that a change does, and what somebody must know of it. */
export interface Judgement {
  readonly risk: Risk;
  readonly reason: string;
}
