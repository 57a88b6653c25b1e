import type { JsonMap } from "../kubernetes/object.ts";
import { mergeDeep } from "../system/merge.ts";

/** Merges Helm values like Helm: maps are merged key by key; for any other value, the last layer wins. */
export function mergeValues(...layers: readonly JsonMap[]): JsonMap {
  return layers.reduce<JsonMap>((merged, layer) => mergeDeep(merged, layer) as JsonMap, {});
}
