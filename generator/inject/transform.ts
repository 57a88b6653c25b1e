import type { Document } from "yaml";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { emitDocuments } from "../kubernetes/documents.ts";
import { documentOf, removeItem, setAt } from "../kubernetes/edit.ts";
import { idOf, idOfObject } from "../kubernetes/manifest-set.ts";
import { type Manifest, type Manifests, parseManifests } from "../kubernetes/read.ts";
import { type Judged, judge } from "../lint/manifests.ts";
import type { Addition, Note } from "./change.ts";
import { inject } from "./inject.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

/** A YAML text with injected objects. */
export interface Transformed {
  readonly text: string;
  /** Number of selected workloads. If it is 0, the configuration may be wrong. */
  readonly selected: number;
  readonly notes: readonly Note[];
  /** Findings of the mesh rules about the changed and added objects, in their state after the injection. */
  readonly judged: readonly Judged[];
  /** Parse errors. If there are parse errors, the text was not changed. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Injects the objects of a YAML stream. New objects are added at the end of the stream. Unchanged parts, including
 * comments, are kept as written. If the text cannot be parsed, or if a note is an error, the whole text is returned
 * unchanged.
 */
export function transform(text: string, injection: MeshInjection): Transformed {
  const manifests = parseManifests("stdin", text);
  const { diagnostics } = manifests;
  if (diagnostics.length > 0) return { text, selected: 0, notes: [], judged: [], diagnostics };
  const { result, ...findings } = injectDocuments(manifests, injection, (documents, { object }) => {
    documents.push(documentOf(object));
  });
  return { text: result.text, ...findings, diagnostics };
}

/** Manifests after an injection, with findings. */
interface Injection extends Omit<Transformed, "text" | "diagnostics"> {
  /** The result, parsed again. If nothing was changed, the original manifests. */
  readonly result: Parsed;
}

/** A text that was parsed without errors. */
type Parsed = Omit<Manifests, "diagnostics">;

/**
 * Injects objects in the documents from which they were parsed.
 *
 * @param add inserts an added object into the documents
 */
export function injectDocuments(
  manifests: Parsed,
  injection: MeshInjection,
  add: (documents: Document[], addition: Addition) => void,
): Injection {
  const { selected, changes, additions, removals, notes } = inject(manifests.objects, injection);
  const failed = notes.some(({ severity }) => severity === "error");
  if (failed || changes.length + additions.length + removals.length === 0)
    return { result: manifests, selected, notes, judged: [] };
  for (const { manifest, path, value } of changes) setAt(manifest.source.document, [...manifest.at, ...path], value);
  const documents = withoutRemoved(manifests.documents, removals);
  for (const addition of additions) add(documents, addition);
  // Findings refer to lines of the result, so the result is parsed again.
  const result = parseManifests("stdout", emitDocuments(documents, manifests.text));
  const touched = new Set([
    ...changes.map(({ manifest }) => idOf(manifest)),
    ...additions.map(({ object }) => idOfObject(object)),
  ]);
  const judged = judge(result.objects, injection.spec.linkerd).filter(({ manifest }) => touched.has(idOf(manifest)));
  return { result, selected, notes, judged };
}

/**
 * Removes objects, which are either documents or items of lists in documents. Later items are removed first, so that
 * the indexes of earlier items stay valid.
 */
function withoutRemoved(documents: readonly Document[], removals: readonly Manifest[]): Document[] {
  const items = removals.filter(({ at }) => at.length > 0);
  for (const { source, at } of items.toReversed()) removeItem(source.document, at);
  const removed = new Set<Document>(removals.filter(({ at }) => at.length === 0).map(({ source }) => source.document));
  return documents.filter((document) => !removed.has(document));
}
