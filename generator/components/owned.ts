import type { JsonMap } from "../kubernetes/object.ts";
import { isMap } from "../system/data.ts";

/** A chart value that overrides must not replace, and the spec field that sets this value. */
export interface OwnedValue {
  readonly path: readonly string[];
  readonly field: string;
}

/** Lists each leaf of a map of chart values as an owned value, with its path. */
export function owned(values: JsonMap, field: string, above: readonly string[] = []): OwnedValue[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = [...above, key];
    return isMap(value) ? owned(value as JsonMap, field, path) : [{ path, field }];
  });
}

/** Lists dotted paths of chart values as owned values. */
export function ownedPaths(paths: readonly string[], field: string): OwnedValue[] {
  return paths.map((path) => ({ path: path.split("."), field }));
}
