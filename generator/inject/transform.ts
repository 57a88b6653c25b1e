import type { Document } from "yaml";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { emitEditable, parseEditable, removeItems, setAt } from "../kubernetes/edit.ts";
import { idOf, idOfObject } from "../kubernetes/manifest-set.ts";
import { type Manifest, parseManifests } from "../kubernetes/read.ts";
import { type Judged, judge } from "../lint/manifests.ts";
import { groupBy } from "../system/data.ts";
import type { Addition, Note } from "./change.ts";
import { inject } from "./inject.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

/** A YAML text with injected objects. */
export interface Transformed {
  readonly text: string;
  /** Number of workloads that were selected; 0 may be a slip in the configuration. */
  readonly selected: number;
  readonly notes: readonly Note[];
  /** What the mesh rules find in the objects that were changed or added, as they are now. */
  readonly judged: readonly Judged[];
  /** What could not be read; then nothing was changed. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Injects the objects of a YAML stream, or of the one list that it holds. What is not changed stays as it stands, comments included. Where
 * something could not be read, or a note is an error, the whole text stays.
 *
 * @param add puts an added object into the documents
 */
export function transform(
  text: string,
  injection: MeshInjection,
  add: (documents: Document[], addition: Addition) => void,
): Transformed {
  const { objects, diagnostics } = parseManifests("stdin", text);
  if (diagnostics.length > 0) return { text, selected: 0, notes: [], judged: [], diagnostics };
  const { selected, changes, additions, removals, notes } = inject(objects, injection);
  const failed = notes.some(({ severity }) => severity === "error");
  if (failed || changes.length + additions.length + removals.length === 0)
    return { text, selected, notes, judged: [], diagnostics };
  const { documents, style } = parseEditable(text);
  for (const { manifest, path, value } of changes) setAt(documentFor(documents, manifest), [...manifest.at, ...path], value);
  const kept = withoutRemoved(documents, removals);
  for (const addition of additions) add(kept, addition);
  const result = emitEditable({ documents: kept, style });
  const touched = new Set([
    ...changes.map(({ manifest }) => idOf(manifest)),
    ...additions.map(({ object }) => idOfObject(object)),
  ]);
  return { text: result, selected, notes, judged: judgeTouched(result, injection, touched), diagnostics };
}

function documentFor(documents: readonly Document[], { index }: Manifest): Document {
  const document = documents[index];
  if (document === undefined) throw new Error(`no document ${index}`);
  return document;
}

/** An object is a document of its own, or an item of a list; lists may be in lists. */
function withoutRemoved(documents: readonly Document[], removals: readonly Manifest[]): Document[] {
  const items = removals.filter(({ at }) => at.length > 0);
  for (const own of groupBy(items, ({ index, at }) => JSON.stringify([index, at.slice(0, -1)])).values()) {
    const [first] = own;
    if (first !== undefined)
      removeItems(documentFor(documents, first), first.at.slice(0, -1), new Set(own.map(({ at }) => Number(at.at(-1)))));
  }
  const gone = new Set(removals.filter(({ at }) => at.length === 0).map(({ index }) => index));
  return documents.filter((_, index) => !gone.has(index));
}

function judgeTouched(text: string, { spec }: MeshInjection, touched: ReadonlySet<string>): Judged[] {
  // Lines are those of the result.
  const { objects } = parseManifests("stdout", text);
  return judge(objects, spec.linkerd).filter(({ manifest }) => touched.has(idOf(manifest)));
}
