import type { JsonMap } from "../kubernetes/object.ts";
import { isMap } from "../system/data.ts";

/** A chart value that overrides must not replace, and the spec field that sets this value. */
export interface OwnedValue {
  readonly path: readonly string[];
  readonly field: string;
}

/** Returns one owned value for each leaf of a map of chart values. */
export function owned(values: JsonMap, field: string, above: readonly string[] = []): OwnedValue[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = [...above, key];
    return isMap(value) ? owned(value as JsonMap, field, path) : [{ path, field }];
  });
}

/** Returns one owned value for each dotted path of a chart value. */
export function ownedPaths(paths: readonly string[], field: string): OwnedValue[] {
  return paths.map((path) => ({ path: path.split("."), field }));
}
