import type { Document } from "yaml";
import { emitEditable, parseEditable, setAt } from "../emit/edit.ts";
import { parseManifests } from "../review/read.ts";
import { type Judged, judge } from "../review/review.ts";
import type { Diagnostic } from "../spec/diagnostic.ts";
import type { Addition, Note } from "./change.ts";
import { idOf, inject } from "./inject.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";

/** A YAML text with injected objects. */
export interface Transformed {
  readonly text: string;
  readonly notes: readonly Note[];
  /** What the mesh rules find in the objects that were changed or added, as they are now. */
  readonly judged: readonly Judged[];
  /** What could not be read; then nothing was changed. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Injects the objects of a YAML stream, or of the one list that it holds. What is not changed stays as it stands, comments included.
 *
 * @param add puts an added object into the documents
 */
export function transform(
  text: string,
  injection: MeshInjection,
  add: (documents: Document[], addition: Addition) => void,
): Transformed {
  const { objects, diagnostics } = parseManifests("stdin", text);
  if (diagnostics.length > 0) return { text, notes: [], judged: [], diagnostics };
  const { changes, additions, notes } = inject(objects, injection);
  if (changes.length + additions.length === 0) return { text, notes, judged: [], diagnostics };
  const { documents, style } = parseEditable(text);
  for (const { manifest, path, value } of changes) {
    const document = documents[manifest.index];
    if (document === undefined) throw new Error(`no document ${manifest.index}`);
    setAt(document, [...manifest.at, ...path], value);
  }
  const all = [...documents];
  for (const addition of additions) add(all, addition);
  const result = emitEditable({ documents: all, style });
  const touched = new Set([
    ...changes.map(({ manifest }) => idOf(manifest)),
    ...additions.map(({ object: { apiVersion, kind, metadata } }) =>
      idOf({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? "" }),
    ),
  ]);
  return { text: result, notes, judged: judgeTouched(result, injection, touched), diagnostics };
}

function judgeTouched(text: string, { spec }: MeshInjection, touched: ReadonlySet<string>): Judged[] {
  const { objects } = parseManifests("stdin", text);
  return judge(objects, spec.linkerd).filter(({ manifest }) => touched.has(idOf(manifest)));
}
