import { type Document, isScalar } from "yaml";
import type { Diagnostic, DiagnosticCode } from "../diagnostics/diagnostic.ts";
import { maxDepth, tooDeepAt } from "../diagnostics/limits.ts";
import { diagnosticAt, limited, type Path, type Source } from "../diagnostics/source.ts";
import { asMap, isMap } from "../system/data.ts";
import { lowerFirst } from "../system/text.ts";
import { asKubectl, parseDocuments, plainValue } from "./documents.ts";

/** Somebody's Kubernetes object, and where it stands. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  /** What the name begins with, where only `generateName` is said. */
  readonly name: string;
  /** Empty where the object names none: `kubectl -n`, Helm or kustomize decide later. */
  readonly namespace: string;
  readonly value: Readonly<Record<string, unknown>>;
  /** File of the object and its document. Diagnostics take places from it, and edits change it. */
  readonly source: Source & { readonly document: Document.Parsed };
  /** Where the object is in its document: not at the root where it is an item of a List. */
  readonly at: Path;
}

/** What a file of manifests holds. */
export interface Manifests {
  readonly text: string;
  /** All documents in order, also those without an object. */
  readonly documents: readonly Document.Parsed[];
  readonly objects: readonly Manifest[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The Kubernetes objects in a YAML stream; documents that are something else (values, Kustomizations) are passed over.
 * A document that is no YAML becomes a diagnostic, and the others are read all the same.
 */
export function parseManifests(file: string, text: string): Manifests {
  const failed = failure(file, text);
  const deep = tooDeepAt(text);
  if (deep !== null)
    return {
      text,
      documents: [],
      objects: [],
      diagnostics: [failed("yaml-too-deep", `nested deeper than ${maxDepth} levels`, deep)],
    };
  const objects: Manifest[] = [];
  const diagnostics: Diagnostic[] = [];
  const documents = parseDocuments(text, asKubectl);
  for (const document of documents) {
    if (document.errors.length > 0)
      diagnostics.push(
        ...limited(document.errors, ({ message, pos: [from, to] }) =>
          failed("yaml-syntax", lowerFirst(message), from, to - from),
        ),
      );
    else
      try {
        objects.push(...objectsIn(document, file, text));
      } catch (error) {
        diagnostics.push(failed("yaml-alias", lowerFirst((error as Error).message), document.range[0]));
      }
  }
  return { text, documents, objects, diagnostics };
}

/** Makes diagnostics of a file. Lines of one that holds a Secret are not repeated: they may be what it keeps. */
function failure(
  file: string,
  text: string,
): (code: DiagnosticCode, message: string, offset: number, length?: number) => Diagnostic {
  const secret = /\bkind["']?\s*:\s*["']?Secret\b/.test(text);
  return (code, message, offset, length = 1) => {
    const said = secret ? (message.split(/[:"]/)[0] ?? "") : message;
    const found = diagnosticAt(
      file,
      text,
      { offset, length },
      { code, severity: "error", message: said, expected: null, fix: null },
    );
    return secret ? { ...found, excerpt: null } : found;
  };
}

/** Returns the objects of a document in kubectl's reading. @throws as `plainValue` */
export function objectsIn(document: Document.Parsed, file: string, text: string): Manifest[] {
  const value = plainValue(document, text);
  const source = { file, text, value, document, diagnostics: [] };
  return flatten(value, []).flatMap(({ value: object, at }) => {
    const { apiVersion, kind } = object;
    const { generateName, name = generateName, namespace } = asMap(object["metadata"]);
    if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") return [];
    const where = typeof namespace === "string" ? namespace : "";
    return [{ apiVersion, kind, name, namespace: where, value: object, source, at }];
  });
}

/** A value of an object as it is written there, before any schema makes something else of it; null where it is no scalar. */
export function writtenAt({ source, at }: Manifest, path: Path): string | null {
  const node: unknown = source.document.getIn([...at, ...path], true);
  return isScalar(node) ? (node.source ?? null) : null;
}

/** The objects of a document: itself, or where it is a List its items. */
function flatten(value: unknown, at: Path): { value: Record<string, unknown>; at: Path }[] {
  if (!isMap(value)) return [];
  const { kind, items } = value;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [{ value, at }];
  return items.flatMap((item, index) => flatten(item, [...at, "items", index]));
}
