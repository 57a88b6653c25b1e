import { asMap } from "../system/data.ts";

/** An object as the API server gives it; fields are looked up with `at`. */
export interface ClusterObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly uid?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid: string }[];
  };
  readonly [field: string]: unknown;
}

/** A condition of an object's status, as Kubernetes' API conventions define it. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** The value at a path; undefined where anything on the way is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => asMap(inner)[key], value);
}

/** A list at a path; empty where there is none. */
export function listAt<T = unknown>(value: unknown, ...path: readonly string[]): readonly T[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as T[]) : [];
}

export function condition(object: ClusterObject, type: string): Condition | undefined {
  return listAt<Condition>(object, "status", "conditions").find((each) => each.type === type);
}

/** Whether the controller has seen the newest spec. */
export function isObserved(object: ClusterObject): boolean {
  const observed = at(object, "status", "observedGeneration");
  return typeof observed !== "number" || observed >= (object.metadata.generation ?? 0);
}
