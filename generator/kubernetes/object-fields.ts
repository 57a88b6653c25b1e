import { asMap, listOf } from "../system/data.ts";
import type { KubernetesObject } from "./object.ts";

/** A condition in the status of an object, as defined in the Kubernetes API conventions. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** Returns the value at a path. A number selects an item of a list. Returns undefined if the path does not exist. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (Array.isArray(inner) ? inner[Number(key)] : asMap(inner)[key]), value);
}

/** Returns the map at a path. Returns an empty map if the value at the path is not a map. */
export function mapAt(value: unknown, ...path: readonly (string | number)[]): Readonly<Record<string, unknown>> {
  return asMap(at(value, ...path));
}

/** Returns the list at a path. Returns an empty list if the value at the path is not a list. */
export function listAt<T = unknown>(value: unknown, ...path: readonly (string | number)[]): readonly T[] {
  return listOf(at(value, ...path)) as readonly T[];
}

export function condition(object: KubernetesObject, type: string): Condition | undefined {
  return listAt<Condition>(object, "status", "conditions").find((each) => each.type === type);
}

/**
 * Whether the controller has observed the latest spec of the object (`status.observedGeneration`). Returns true if the
 * status of the object does not contain this field.
 */
export function isObserved(object: KubernetesObject): boolean {
  const observed = at(object, "status", "observedGeneration");
  return typeof observed !== "number" || observed >= (object.metadata.generation ?? 0);
}
