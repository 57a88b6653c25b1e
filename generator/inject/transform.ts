import type { Document } from "yaml";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Path } from "../diagnostics/source.ts";
import { idOf, idOfObject } from "../kubernetes/manifest-set.ts";
import { type Manifest, type Manifests, parseManifests } from "../kubernetes/read.ts";
import { chunksOf, type Edit } from "../kubernetes/splice.ts";
import { checkObjects, type ObjectFinding } from "../lint/manifests.ts";
import { asMap, groupBy } from "../system/data.ts";
import type { Addition, Change, Note } from "./change.ts";
import { inject } from "./inject.ts";
import type { MeshInjection } from "./mesh-injection.generated.ts";
import { withObjects } from "./stream.ts";

/** Result of an injection: the new text, and the findings about it. */
export interface Transformed {
  readonly text: string;
  /**
   * Number of workloads that the MeshInjection selects. If the number is 0, the selection in the MeshInjection may be
   * wrong.
   */
  readonly selected: number;
  readonly notes: readonly Note[];
  /**
   * Findings of the mesh rules about the objects that the injection changed or added. The rules check these objects as
   * they are after the injection.
   */
  readonly findings: readonly ObjectFinding[];
  /** Errors in the input or in the MeshInjection. If this list is not empty, the text is the same as the input. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Applies a MeshInjection to a YAML stream. Adds new objects at the end of the stream. The rest of the text usually
 * stays the same, byte for byte (see `splice`). Returns the whole text unchanged if the text cannot be parsed, or if a
 * note is an error.
 */
export function transform(text: string, injection: MeshInjection): Transformed {
  const manifests = parseManifests("stdin", text);
  const { diagnostics } = manifests;
  if (diagnostics.length > 0) return { text, selected: 0, notes: [], findings: [], diagnostics };
  const { parsed: _, ...found } = injectDocuments(manifests, injection, null);
  return { ...found, diagnostics };
}

/** Result of `injectDocuments`: the manifests after the injection, and the findings about them. */
interface Injection extends Omit<Transformed, "diagnostics"> {
  /**
   * Returns the manifests after the injection, parsed from the new text. If the injection changed nothing, these are
   * the original manifests.
   */
  parsed(): Parsed;
}

/** Manifests that were parsed without errors. */
type Parsed = Omit<Manifests, "diagnostics">;

/**
 * Applies a MeshInjection to the text from which the manifests were parsed.
 *
 * @param add returns the edit that adds a new object to the first document. If null, each new object becomes a separate
 * document
 */
export function injectDocuments(
  manifests: Parsed,
  injection: MeshInjection,
  add: ((addition: Addition) => Edit) | null,
): Injection {
  const { selected, changes, additions, removals, notes } = inject(manifests.objects, injection);
  const failed = notes.some(({ severity }) => severity === "error");
  if (failed || changes.length + additions.length + removals.length === 0)
    return { text: manifests.text, parsed: () => manifests, selected, notes, findings: [] };
  const edits = new Map<Document, Edit[]>();
  const edit = (document: Document | undefined, change: Edit): void => {
    if (document !== undefined) edits.set(document, [...(edits.get(document) ?? []), change]);
  };
  for (const { manifest, path, value } of changes)
    edit(manifest.source.document, { op: "set", path: [...manifest.at, ...path], value });
  // An object to remove is either an item of a List or a whole document. This loop removes the items of Lists. The code
  // below removes whole documents.
  for (const { source, at } of removals) if (at.length > 0) edit(source.document, { op: "remove", path: at });
  if (add !== null) for (const addition of additions) edit(manifests.documents[0], add(addition));
  const removed = new Set<Document>(removals.filter(({ at }) => at.length === 0).map(({ source }) => source.document));
  const chunks = chunksOf(manifests.documents, manifests.text).filter(({ document }) => !removed.has(document));
  const added = add === null ? additions.map(({ object }) => object) : [];
  const text = withObjects(chunks, manifests.text, edits, added);
  const touched = new Set([
    ...changes.map(({ manifest }) => idOf(manifest)),
    ...additions.map(({ object }) => idOfObject(object)),
  ]);
  const findings = (objects: readonly Manifest[]): ObjectFinding[] =>
    checkObjects(objects, injection.spec.linkerd).filter(({ manifest }) => touched.has(idOf(manifest)));
  let known: Parsed | null = null;
  const parsed = (): Parsed => {
    known ??= parseManifests("stdout", text);
    return known;
  };
  // Findings contain line numbers of the new text. Parsing takes most of the time, so parse the new text only if there
  // can be findings. If objects were added, always parse the new text, because the added objects exist only there.
  const mayHaveFindings = additions.length > 0 || findings(withChanges(manifests.objects, changes, removals)).length > 0;
  return { text, parsed, selected, notes, findings: mayHaveFindings ? findings(parsed().objects) : [] };
}

/** Returns objects with changes applied to their values, without the removed objects. */
function withChanges(objects: readonly Manifest[], changes: readonly Change[], removals: readonly Manifest[]): Manifest[] {
  const byManifest = groupBy(changes, ({ manifest }) => manifest);
  const removed = new Set(removals);
  return objects
    .filter((object) => !removed.has(object))
    .map((object) => {
      const own = byManifest.get(object) ?? [];
      const value = own.reduce<unknown>((changed, { path, value: next }) => withValue(changed, path, next), object.value);
      return own.length === 0 ? object : { ...object, value: asMap(value) };
    });
}

/** Returns a copy of plain data with another value at a path. Creates the maps that are missing on the path. */
function withValue(data: unknown, [step, ...rest]: Path, value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(data)) return data.map((item, index) => (index === Number(step) ? withValue(item, rest, value) : item));
  return { ...asMap(data), [step]: withValue(asMap(data)[step], rest, value) };
}
