import { stringify } from "yaml";
import { isMap } from "../system/data.ts";

/**
 * Returns the text of a YAML stream with one document per value. The same data always results in the same bytes. Words
 * such as `yes` and `on` are quoted, so that YAML 1.1 parsers (such as Go's yaml.v2) read the same values. Long lines
 * are not wrapped, and multi-line strings become literal blocks.
 */
export function toYaml(documents: readonly unknown[], header?: string): string {
  return joined(documents.map(text), header);
}

/**
 * Returns the same text as `toYaml`, but faster. Use this function for the files of bundles. It caches the text of each
 * top-level entry, because the bundles of different environments have many equal entries. Do not use this function for
 * secrets, because the cache keeps their text.
 */
export function toBundleYaml(documents: readonly unknown[], header?: string): string {
  return joined(documents.map(cachedText), header);
}

function joined(texts: readonly string[], header: string | undefined): string {
  return (header === undefined ? "" : `${comment(header)}\n`) + texts.join("---\n");
}

function cachedText(document: unknown): string {
  const entries = isMap(document) ? Object.entries(document).filter(([, value]) => value !== undefined) : [];
  return entries.length === 0 ? text(document) : entries.map(entryText).join("");
}

const textCache = new Map<string, string>();
/** Maximum number of cached entries. A bundle has about 150 top-level entries. */
const maxEntries = 5000;

function entryText([key, value]: [string, unknown]): string {
  const entry = { [key]: value };
  const id = JSON.stringify(entry);
  const known = textCache.get(id);
  if (known !== undefined) return known;
  if (textCache.size >= maxEntries) textCache.clear();
  const yaml = text(entry);
  textCache.set(id, yaml);
  return yaml;
}

function text(value: unknown): string {
  const options = { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
  const yaml = stringify(value, options);
  if (!yaml.includes("\uFEFF")) return yaml;
  // Go's YAML parser drops a byte order mark from a text, unless the byte order mark is escaped.
  return stringify(value, { ...options, defaultStringType: "QUOTE_DOUBLE", blockQuote: false }).replaceAll("\uFEFF", "\\uFEFF");
}

function comment(text: string): string {
  return text
    .split("\n")
    .map((line) => `# ${line}`.trimEnd())
    .join("\n");
}
