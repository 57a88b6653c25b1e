import { type Document, isMap, isSeq } from "yaml";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { type Chunk, type Edit, splice } from "../kubernetes/splice.ts";
import { endsInBlockScalar, newlineOf } from "../kubernetes/splice-text.ts";
import { toYaml } from "../kubernetes/yaml.ts";

/**
 * Applies edits to the documents of a text, and adds new objects at the end. Returns the new text. If the text is a
 * single JSON object, the result is also JSON. If this object is a List, the new objects are appended to its items.
 * Otherwise, the existing object and the new objects become the items of a new List.
 *
 * @param text the whole text from which the chunks were parsed
 */
export function withObjects(
  chunks: readonly Chunk[],
  text: string,
  edits: ReadonlyMap<Document, readonly Edit[]>,
  added: readonly KubernetesObject[],
): string {
  const [first, ...others] = chunks;
  const edited = (chunk: Chunk, more: readonly Edit[] = []): string =>
    splice(chunk, text, [...(edits.get(chunk.document) ?? []), ...more]);
  if (added.length > 0 && first !== undefined && others.length === 0 && isJson(first.document)) {
    const items = first.document.get("items", true);
    if (isSeq(items))
      return edited(
        first,
        added.map((value) => ({ op: "append", path: ["items"], value })),
      );
    return listOf(edited(first), added);
  }
  return withDocuments(
    chunks.map((chunk) => edited(chunk)),
    chunks.at(-1)?.document,
    added,
    newlineOf(text),
  );
}

function isJson({ contents }: Document): boolean {
  const key = isMap(contents) && contents.flow === true ? contents.items[0]?.key : undefined;
  return (key as { type?: string } | undefined)?.type === "QUOTE_DOUBLE";
}

function listOf(object: string, added: readonly KubernetesObject[]): string {
  const items = [object.trim(), ...added.map((each) => JSON.stringify(each, null, 2))];
  return `{"apiVersion": "v1", "kind": "List", "items": [\n${items.join(",\n")}\n]}${/\s*$/.exec(object)?.[0] ?? ""}`;
}

/** @param last the document whose text is the last element of `texts` */
function withDocuments(
  texts: readonly string[],
  last: Document | undefined,
  added: readonly KubernetesObject[],
  newline: string,
): string {
  const text = texts.join("");
  if (added.length === 0) return text;
  const documents = added.map((object) => `---\n${toYaml([object])}`.replaceAll("\n", newline)).join("");
  if (text === "" || text.endsWith("\n")) return `${text}${documents}`;
  if (!endsInBlockScalar((last?.contents ?? null) as never)) return `${text}${newline}${documents}`;
  // The text ends with a block scalar, without a line break. A line break at this position would become part of the
  // block scalar. Therefore, insert the new documents before the last document.
  const end = texts.at(-1) ?? "";
  return `${texts.slice(0, -1).join("")}${documents}${end.startsWith("---") ? "" : `---${newline}`}${end}`;
}
