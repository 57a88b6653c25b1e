import { type Document, isMap as isMapNode, isScalar, type Node, visit } from "yaml";
import type { Diagnostic, DiagnosticCode } from "../diagnostics/diagnostic.ts";
import { depthLimitOffset, maxDepth } from "../diagnostics/limits.ts";
import { diagnosticAt, type Path, type Source } from "../diagnostics/source.ts";
import { asMap, isMap } from "../system/data.ts";
import { lowerFirst } from "../system/text.ts";
import { asKubectl, parseDocuments, plainValue } from "./documents.ts";

/** A Kubernetes object parsed from a manifest, and its position. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  /** `metadata.name`, or `metadata.generateName` if the object has no name. */
  readonly name: string;
  /** Empty if the object does not specify a namespace. `kubectl -n`, Helm or kustomize can add the namespace later. */
  readonly namespace: string;
  readonly value: Readonly<Record<string, unknown>>;
  /**
   * File and YAML document of the object. Diagnostics get their positions from the nodes of the document. Functions
   * that edit the object change these nodes, or replace the text at the positions of the nodes.
   */
  readonly source: Source & { readonly document: Document.Parsed };
  /**
   * Path of the object in its document. Empty if the whole document is the object. If the document is a List, the path
   * of the item in the List.
   */
  readonly at: Path;
}

/** Result of parsing a file of manifests. */
export interface Manifests {
  readonly text: string;
  /** All documents in order, including documents without a Kubernetes object. */
  readonly documents: readonly Document.Parsed[];
  readonly objects: readonly Manifest[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Parses the Kubernetes objects of a YAML stream. Skips documents that are not objects, such as values or a
 * kustomization.yaml. Returns a diagnostic for each document that has a syntax error, and still returns the objects of
 * all other documents.
 */
export function parseManifests(file: string, text: string): Manifests {
  const failed = failure(file, text);
  const deep = depthLimitOffset(text);
  if (deep !== null)
    return {
      text,
      documents: [],
      objects: [],
      diagnostics: [failed("yaml-too-deep", `the file is nested deeper than ${maxDepth} levels`, deep)],
    };
  const objects: Manifest[] = [];
  const diagnostics: Diagnostic[] = [];
  const documents = parseDocuments(text, asKubectl);
  const hasBraces = text.includes("{{");
  for (const document of documents) {
    const template = hasBraces ? templateAt(document, text) : null;
    if (template !== null)
      diagnostics.push({
        ...failed("template-unrendered", "the file contains a template (`{{ … }}`) that has not been rendered", template, 2),
        fix: "render the template, for example with helm template, and then check the rendered manifests",
      });
    else if (document.errors[0] !== undefined) {
      // Report only the first error of a document, because its other errors usually have the same cause.
      const { message, pos } = document.errors[0];
      diagnostics.push(failed("yaml-syntax", lowerFirst(message), pos[0], pos[1] - pos[0]));
    } else
      try {
        objects.push(
          ...objectsIn(document, file, text, (path) => {
            const [start = 0, end = start] = (document.getIn([...path, "metadata", "name"], true) as Node).range ?? [];
            diagnostics.push({
              ...failed(
                "wrong-type",
                "metadata.name of this object is not a string, so the API server rejects the object",
                start,
                end - start,
              ),
              fix: "quote the name",
            });
          }),
        );
      } catch (error) {
        diagnostics.push(failed("yaml-alias", lowerFirst((error as Error).message), document.range[0]));
      }
  }
  return { text, documents, objects, diagnostics };
}

/**
 * Returns the offset of a Helm or other template expression (`{{ x }}`) that was not rendered. Returns null if the
 * document contains no such expression. A YAML parser reads `{{ x }}` outside of quotes as a map whose only key is a
 * map. If a whole line consists of a template expression, the parser can report a syntax error.
 */
function templateAt(document: Document.Parsed, text: string): number | null {
  let found: number | null = null;
  visit(document, {
    Map: (_, { flow, items: [first] }) => {
      const key = first?.key;
      if (flow !== true || !isMapNode(key) || key.flow !== true) return undefined;
      found = key.range?.[0] === undefined ? document.range[0] : key.range[0] - 1;
      return visit.BREAK;
    },
  });
  if (found !== null || document.errors.length === 0) return found;
  const [start, , end] = document.range;
  const line = /^[ \t]*(?:- )?\{\{/m.exec(text.slice(start, end));
  return line === null ? null : start + line.index + line[0].length - 2;
}

/**
 * Returns a function that creates diagnostics for a file. If the file contains a Secret, the diagnostics do not contain
 * text from the file.
 */
function failure(
  file: string,
  text: string,
): (code: DiagnosticCode, message: string, offset: number, length?: number) => Diagnostic {
  const secret = /\bkind["']?\s*:\s*["']?Secret\b/.test(text);
  return (code, message, offset, length = 1) => {
    const shown = secret ? (message.split(/[:"]/)[0] ?? "") : message;
    const found = diagnosticAt(
      file,
      text,
      { offset, length },
      { code, severity: "error", message: shown, expected: null, fix: null },
    );
    return secret ? { ...found, excerpt: null } : found;
  };
}

/**
 * Returns the objects of a document, with the values that kubectl reads from the document.
 *
 * @param onWrongName called with the path of each object whose name is a number or a boolean; the result does not
 *   contain these objects
 * @throws if `plainValue` throws
 */
export function objectsIn(
  document: Document.Parsed,
  file: string,
  text: string,
  onWrongName: (path: Path) => void = () => undefined,
): Manifest[] {
  const value = plainValue(document, text);
  const source = { file, text, value, document, diagnostics: [] };
  return flatten(value, []).flatMap(({ value: object, at }) => {
    const { apiVersion, kind } = object;
    const { generateName, name = generateName, namespace } = asMap(object["metadata"]);
    if (typeof apiVersion !== "string" || typeof kind !== "string") return [];
    if (typeof name === "number" || typeof name === "boolean") onWrongName(at);
    if (typeof name !== "string") return [];
    const where = typeof namespace === "string" ? namespace : "";
    return [{ apiVersion, kind, name, namespace: where, value: object, source, at }];
  });
}

/**
 * Returns a scalar as it is written in the file, for example `0755` for a number. Returns null if the value is not a
 * scalar.
 */
export function sourceTextAt({ source, at }: Manifest, path: Path): string | null {
  const node: unknown = source.document.getIn([...at, ...path], true);
  return isScalar(node) ? (node.source ?? null) : null;
}

/**
 * Returns the objects of a document, each with its path: the items if the value is a List, otherwise the value itself.
 */
function flatten(value: unknown, at: Path): { value: Record<string, unknown>; at: Path }[] {
  if (!isMap(value)) return [];
  const { kind, items } = value;
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) return [{ value, at }];
  return items.flatMap((item, index) => flatten(item, [...at, "items", index]));
}
