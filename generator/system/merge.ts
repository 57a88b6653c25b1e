import { isMap } from "./data.ts";

type Values = Readonly<Record<string, unknown>>;

/**
 * Merges the two values of a key. Called only if at least one of the two values is not a map. @returns the merged
 * value; undefined to omit the key
 */
export type MergeLeaf = (below: unknown, value: unknown, path: readonly string[]) => unknown;

const replace: MergeLeaf = (_, value) => value;

/**
 * Merges two maps key by key, including nested maps. `leaf` merges all other values. By default, the value of `layer`
 * replaces the value of `base`.
 *
 * @param path keys that lead to the maps; passed to `leaf`
 */
export function mergeDeep(
  base: Values,
  layer: Values,
  leaf: MergeLeaf = replace,
  path: readonly string[] = [],
): Record<string, unknown> {
  // Use a Map, because an assignment to the key __proto__ of an object would set the prototype of the object.
  const out = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(layer)) {
    const below = out.get(key);
    const inner = [...path, key];
    const merged = isMap(below) && isMap(value) ? mergeDeep(below, value, leaf, inner) : leaf(below, value, inner);
    if (merged === undefined) out.delete(key);
    else out.set(key, merged);
  }
  return Object.fromEntries(out);
}
