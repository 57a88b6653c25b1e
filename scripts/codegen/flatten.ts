import { isMap } from "../../generator/system/data.ts";
import { mergeDeep } from "../../generator/system/merge.ts";

/** A JSON Schema. */
export type Schema = { [keyword: string]: unknown };

/**
 * Returns the schema of a resolved spec. A resolved spec is the result of merging a spec file with the files that it
 * extends. The returned schema consists of the schema of a spec file (`root`), merged with the `required` lists of
 * `$defs/resolved`. It does not use `allOf`, and it allows no `null`. A resolved spec contains no `null`, because a
 * `null` in a file deletes an inherited value.
 */
export function resolvedForm(root: Schema): Schema {
  const definitions = root["$defs"] as Record<string, Schema>;
  const { resolved = {}, ...others } = definitions;
  const [, overlay] = resolved["allOf"] as [unknown, Schema];
  const merged = mergeDeep({ ...root, $defs: others }, overlay);
  return withoutNull({ ...merged, $id: `${String(root["$id"])}.resolved` }) as Schema;
}

function withoutNull(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutNull);
  if (!isMap(node)) return node;
  const out: Schema = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === "type" && Array.isArray(value)) {
      const types = value.filter((type) => type !== "null");
      out[key] = types.length === 1 ? types[0] : types;
    } else if (key === "enum" && Array.isArray(value)) out[key] = value.filter((item) => item !== null);
    else if (key === "default" && value === null) continue;
    else out[key] = key === "examples" ? value : withoutNull(value);
  }
  return out;
}

/** Returns the schema with every property that has a default marked as required. A validator adds missing defaults. */
export function withDefaultsRequired(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withDefaultsRequired);
  if (!isMap(node)) return node;
  const out: Schema = {};
  for (const [key, value] of Object.entries(node)) out[key] = key === "default" ? value : withDefaultsRequired(value);
  if (!isMap(out["properties"])) return out;
  const defaulted = Object.entries(out["properties"]).filter(([, property]) => isMap(property) && "default" in property);
  const required = new Set([...((out["required"] as string[] | undefined) ?? []), ...defaulted.map(([name]) => name)]);
  return { ...out, required: [...required] };
}

/**
 * Returns the schema without the given keywords. Keeps a property or a definition even if its name is the same as one
 * of these keywords.
 */
export function without(node: unknown, keywords: readonly string[]): unknown {
  if (Array.isArray(node)) return node.map((item) => without(item, keywords));
  if (!isMap(node)) return node;
  const out: Schema = {};
  for (const [key, value] of Object.entries(node)) {
    if (key === "properties" || key === "$defs") out[key] = mapValues(value as Schema, (item) => without(item, keywords));
    else if (!keywords.includes(key)) out[key] = key === "default" || key === "enum" ? value : without(value, keywords);
  }
  return out;
}

function mapValues(record: Schema, map: (value: unknown) => unknown): Schema {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
