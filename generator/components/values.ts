import type { JsonMap } from "../kubernetes/object.ts";
import { mergeDeep } from "../system/merge.ts";

/**
 * Merges Helm values in the same way as Helm. Maps are merged key by key. For any other value, the last layer that sets
 * the value takes precedence.
 */
export function mergeValues(...layers: readonly JsonMap[]): JsonMap {
  return layers.reduce<JsonMap>((merged, layer) => mergeDeep(merged, layer) as JsonMap, {});
}
