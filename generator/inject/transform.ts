import type { Document } from "yaml";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { idOf, idOfObject } from "../kubernetes/manifest-set.ts";
import { type Manifests, parseManifests } from "../kubernetes/read.ts";
import { chunksOf, type Edit } from "../kubernetes/splice.ts";
import { type Judged, judge } from "../lint/manifests.ts";
import type { Addition, Note } from "./change.ts";
import { inject } from "./inject.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { withObjects } from "./stream.ts";

/** A YAML text with injected objects. */
export interface Transformed {
  readonly text: string;
  /** Number of selected workloads. If the number is 0, the configuration may be wrong. */
  readonly selected: number;
  readonly notes: readonly Note[];
  /**
   * Findings of the mesh rules about the changed and added objects. The rules check the objects after the injection.
   */
  readonly judged: readonly Judged[];
  /** Parse errors. If there are parse errors, the text was not changed. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Injects the objects of a YAML stream. New objects are added at the end of the stream. All bytes outside of the
 * changed places stay the same (see `splice`). Returns the whole text unchanged if the text cannot be parsed, or if a
 * note is an error.
 */
export function transform(text: string, injection: MeshInjection): Transformed {
  const manifests = parseManifests("stdin", text);
  const { diagnostics } = manifests;
  if (diagnostics.length > 0) return { text, selected: 0, notes: [], judged: [], diagnostics };
  const { result, ...findings } = injectDocuments(manifests, injection, null);
  return { text: result.text, ...findings, diagnostics };
}

/** Manifests after an injection, with findings. */
interface Injection extends Omit<Transformed, "text" | "diagnostics"> {
  /** Manifests of the result, which is parsed again. If nothing was changed, these are the original manifests. */
  readonly result: Parsed;
}

/** A text that was parsed without errors. */
type Parsed = Omit<Manifests, "diagnostics">;

/**
 * Injects objects in the text from which they were parsed.
 *
 * @param add function that returns the edit which adds an object to the first document; if null, each added object
 *   becomes a separate document
 */
export function injectDocuments(
  manifests: Parsed,
  injection: MeshInjection,
  add: ((addition: Addition) => Edit) | null,
): Injection {
  const { selected, changes, additions, removals, notes } = inject(manifests.objects, injection);
  const failed = notes.some(({ severity }) => severity === "error");
  if (failed || changes.length + additions.length + removals.length === 0)
    return { result: manifests, selected, notes, judged: [] };
  const edits = new Map<Document, Edit[]>();
  const edit = (document: Document | undefined, change: Edit): void => {
    if (document !== undefined) edits.set(document, [...(edits.get(document) ?? []), change]);
  };
  for (const { manifest, path, value } of changes)
    edit(manifest.source.document, { op: "set", path: [...manifest.at, ...path], value });
  // An object is either a document or an item of a list in a document.
  for (const { source, at } of removals) if (at.length > 0) edit(source.document, { op: "remove", path: at });
  if (add !== null) for (const addition of additions) edit(manifests.documents[0], add(addition));
  const removed = new Set<Document>(removals.filter(({ at }) => at.length === 0).map(({ source }) => source.document));
  const chunks = chunksOf(manifests.documents, manifests.text).filter(({ document }) => !removed.has(document));
  const added = add === null ? additions.map(({ object }) => object) : [];
  const text = withObjects(chunks, manifests.text, edits, added);
  // Findings refer to lines of the result, so the result is parsed again.
  const result = parseManifests("stdout", text);
  const touched = new Set([
    ...changes.map(({ manifest }) => idOf(manifest)),
    ...additions.map(({ object }) => idOfObject(object)),
  ]);
  const judged = judge(result.objects, injection.spec.linkerd).filter(({ manifest }) => touched.has(idOf(manifest)));
  return { result, selected, notes, judged };
}
