import { type Document, parseAllDocuments } from "yaml";
import { asMap, isMap } from "../data.ts";
import type { Diagnostic } from "../spec/diagnostic.ts";
import { maxDepth, tooDeepAt } from "../spec/limits.ts";
import { diagnosticAt, limited, type Path, type Source } from "../spec/source.ts";

/** Somebody's Kubernetes object, and where it stands. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Empty where the object names none: `kubectl -n`, Helm or kustomize decide later. */
  readonly namespace: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly source: Source;
  /** Where the object is in its document: not at the root where it is an item of a List. */
  readonly at: Path;
}

/** What a file of manifests holds. */
export interface Manifests {
  readonly objects: readonly Manifest[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The Kubernetes objects in a YAML stream; documents that are something else (values, Kustomizations) are passed over.
 * A document that is no YAML becomes a diagnostic, and the others are read all the same.
 */
export function parseManifests(file: string, text: string): Manifests {
  const failed = (code: "yaml-syntax" | "yaml-too-deep", message: string, offset = 0, length = 1): Diagnostic =>
    diagnosticAt(file, text, { offset, length }, { code, severity: "error", message, expected: null, hint: null });
  const deep = tooDeepAt(text);
  if (deep !== null)
    return { objects: [], diagnostics: [failed("yaml-too-deep", `nested deeper than ${maxDepth} levels`, deep)] };
  const objects: Manifest[] = [];
  const diagnostics: Diagnostic[] = [];
  const documents = parseAllDocuments(text, { merge: true, uniqueKeys: false, prettyErrors: false });
  for (const document of documents as Document.Parsed[]) {
    const { errors } = document;
    if (errors.length > 0)
      diagnostics.push(
        ...limited(errors, ({ message, pos: [from, to] }) => failed("yaml-syntax", message.toLowerCase(), from, to - from)),
      );
    else objects.push(...objectsIn(document, file, text));
  }
  return { objects, diagnostics };
}

function objectsIn(document: Document.Parsed, file: string, text: string): Manifest[] {
  const source: Source = { file, text, value: document.toJS({ maxAliasCount: 1000 }), document, diagnostics: [] };
  return flatten(source.value, []).flatMap(({ value, at }) => {
    const { apiVersion, kind } = value;
    const { name, namespace } = asMap(value["metadata"]);
    if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") return [];
    return [{ apiVersion, kind, name, namespace: typeof namespace === "string" ? namespace : "", value, source, at }];
  });
}

/** The objects of a document: itself, or where it is a List its items. */
function flatten(value: unknown, at: Path): { value: Record<string, unknown>; at: Path }[] {
  if (!isMap(value)) return [];
  const { kind, items } = value;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [{ value, at }];
  return items.flatMap((item, index) => flatten(item, [...at, "items", index]));
}
