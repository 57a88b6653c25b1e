import { type Document, isMap, isScalar, isSeq } from "yaml";
import { emitDocuments } from "../../kubernetes/documents.ts";
import { setAt } from "../../kubernetes/edit.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import type { ResourceList } from "./resource-list.ts";
import type { Result } from "./result.ts";

/** Response of a KRM function: text for stdout, results, and whether the function failed. */
export interface Answer {
  readonly text: string;
  readonly results: readonly Result[];
  readonly failed: boolean;
}

/** Returns the list with its results. If a result is an error, the items are not changed. */
export function answer(
  { document, text }: ResourceList,
  results: readonly Result[],
  edit: (document: Document) => void = () => undefined,
): Answer {
  const failed = results.some(({ severity }) => severity === "error");
  commentsInside(document);
  if (!failed) edit(document);
  if (results.length > 0) setAt(document, ["results"], results);
  return { text: emitDocuments([document], text), results, failed };
}

/**
 * Moves the comments above an item to the position after the dash of the item. Orchestrators write comments at this
 * position. They do not treat comments before the dash as part of the item, and would add such comments a second time.
 */
function commentsInside(document: Document): void {
  const items: unknown = document.get("items", true);
  if (!isSeq(items)) return;
  for (const item of items.items) {
    const key = isMap(item) ? item.items[0]?.key : undefined;
    if (!isMap(item) || !isScalar(key) || item.commentBefore == null) continue;
    key.commentBefore = item.commentBefore;
    item.commentBefore = null;
  }
}

/** Response to an invalid ResourceList: an empty list with results. */
export function refuse(results: readonly Result[]): Answer {
  return {
    text: toYaml([{ apiVersion: "config.kubernetes.io/v1", kind: "ResourceList", items: [], results }]),
    results,
    failed: true,
  };
}
