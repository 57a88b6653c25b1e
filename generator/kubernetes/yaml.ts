import { stringify } from "yaml";
import { isMap } from "../system/data.ts";

/**
 * YAML documents as text, the same bytes for the same data. Readers of YAML 1.1 (Go's yaml.v2 among them) see the same
 * values: words such as `yes` and `on` are quoted. Long lines stay whole, multi-line strings become literal blocks.
 */
export function toYaml(documents: readonly unknown[], header?: string): string {
  return joined(documents.map(text), header);
}

/**
 * `toYaml` for the files of bundles: what environments have in common is written once and remembered, entry by entry, since a block map is
 * its entries one after the other. Never for secrets.
 */
export function toBundleYaml(documents: readonly unknown[], header?: string): string {
  return joined(documents.map(remembered), header);
}

function joined(texts: readonly string[], header: string | undefined): string {
  return (header === undefined ? "" : `${comment(header)}\n`) + texts.join("---\n");
}

function remembered(document: unknown): string {
  const entries = isMap(document) ? Object.entries(document).filter(([, value]) => value !== undefined) : [];
  return entries.length === 0 ? text(document) : entries.map(entryText).join("");
}

const written = new Map<string, string>();
/** Entries that are remembered; a bundle has about 150. */
const maxWritten = 5000;

function entryText([key, value]: [string, unknown]): string {
  const entry = { [key]: value };
  const id = JSON.stringify(entry);
  const known = written.get(id);
  if (known !== undefined) return known;
  if (written.size >= maxWritten) written.clear();
  const yaml = text(entry);
  written.set(id, yaml);
  return yaml;
}

function text(value: unknown): string {
  const options = { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;
  const yaml = stringify(value, options);
  if (!yaml.includes("\uFEFF")) return yaml;
  // Go's YAML reads a byte order mark as none of a text's letters, unless it is escaped.
  return stringify(value, { ...options, defaultStringType: "QUOTE_DOUBLE", blockQuote: false }).replaceAll("\uFEFF", "\\uFEFF");
}

function comment(text: string): string {
  return text
    .split("\n")
    .map((line) => `# ${line}`.trimEnd())
    .join("\n");
}
