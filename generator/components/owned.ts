import type { JsonMap } from "../kubernetes/object.ts";
import { isMap } from "../system/data.ts";

/** A chart value that meshops must write itself, and the field of the spec to use instead of overriding it. */
export interface OwnedValue {
  readonly path: readonly string[];
  readonly field: string;
}

/** Every value of a map of chart values, as owned: each leaf with its path. */
export function owned(values: JsonMap, field: string, above: readonly string[] = []): OwnedValue[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = [...above, key];
    return isMap(value) ? owned(value as JsonMap, field, path) : [{ path, field }];
  });
}
