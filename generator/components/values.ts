import { isMap } from "../data.ts";
import type { Json, JsonMap } from "../model.ts";

/** Merges Helm values as Helm does: maps key by key, everything else replaced by the later one. */
export function mergeValues(...layers: readonly JsonMap[]): JsonMap {
  return layers.reduce((merged, layer) => mergeTwo(merged, layer), {});
}

function mergeTwo(base: JsonMap, layer: JsonMap): JsonMap {
  const out: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(layer)) {
    const below = out[key];
    out[key] = isMap(below) && isMap(value) ? mergeTwo(below, value) : value;
  }
  return out;
}
