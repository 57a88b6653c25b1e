import type { JsonMap } from "../kubernetes/object.ts";
import { mergeDeep } from "../system/merge.ts";

/** Merges Helm values as Helm does: maps key by key, everything else replaced by the later one. */
export function mergeValues(...layers: readonly JsonMap[]): JsonMap {
  return layers.reduce<JsonMap>((merged, layer) => mergeDeep(merged, layer) as JsonMap, {});
}
