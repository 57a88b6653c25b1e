import { stringify } from "yaml";

/**
 * YAML documents as text, the same bytes for the same data. Readers of YAML 1.1 (Go's yaml.v2 among them) see the same
 * values: words such as `yes` and `on` are quoted. Long lines stay whole, multi-line strings become literal blocks.
 */
export function toYaml(documents: readonly unknown[], header?: string): string {
  const texts = documents.map((document) =>
    stringify(document, { compat: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false }),
  );
  return (header === undefined ? "" : `${comment(header)}\n`) + texts.join("---\n");
}

function comment(text: string): string {
  return text
    .split("\n")
    .map((line) => `# ${line}`.trimEnd())
    .join("\n");
}
