import { isMap } from "./data.ts";

type Values = Readonly<Record<string, unknown>>;

/** Decides the value of a key that is not a map on both sides. @returns undefined to leave the key out */
export type MergeLeaf = (below: unknown, value: unknown, path: readonly string[]) => unknown;

const replace: MergeLeaf = (_, value) => value;

/**
 * Merges two maps key by key, maps within them too. `leaf` decides everything else; without it the later value wins.
 *
 * @param path keys that lead to the maps, for `leaf`
 */
export function mergeDeep(
  base: Values,
  layer: Values,
  leaf: MergeLeaf = replace,
  path: readonly string[] = [],
): Record<string, unknown> {
  // A Map, since an object would take the key __proto__ for its prototype.
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
