import type { JsonMap } from "../kubernetes/object.ts";
import { mergeDeep } from "../system/merge.ts";

/**
 * Merges Helm values in the same way as Helm. Maps are merged key by key. Any other value is taken from the last layer
 * that contains this value.
 */
export function mergeValues(...layers: readonly JsonMap[]): JsonMap {
  return layers.reduce<JsonMap>((merged, layer) => mergeDeep(merged, layer) as JsonMap, {});
}
