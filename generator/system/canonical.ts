import { isMap } from "./data.ts";

/**
 * Returns JSON text that does not depend on the order of keys.
 *
 * @param isSet for the key of a list, returns whether the order of the items is ignored
 */
export function canonicalJson(value: unknown, isSet: (key: string) => boolean = () => false): string {
  return JSON.stringify(sorted(value, "", isSet)) ?? "";
}

function sorted(value: unknown, key: string, isSet: (key: string) => boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => sorted(item, "", isSet));
    return isSet(key) ? items.map((item) => JSON.stringify(item)).sort() : items;
  }
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name], name, isSet)]),
  );
}
