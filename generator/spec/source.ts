import type { Document } from "yaml";
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, type Pair, parseAllDocuments } from "yaml";
import type { Diagnostic, DiagnosticCode, Excerpt } from "./diagnostic.ts";

/** Keys and indexes from the root of a document to a value. */
export type Path = readonly (string | number)[];

/** Largest spec that is read, in bytes: far above any real one, far below what makes a parser slow. */
export const maxFileBytes: number = 1024 * 1024;
/** Deepest nesting that is read. The schema needs 7 levels. */
const maxDepth = 64;
/** Most aliases that are resolved in one document, counted as the `yaml` library does. */
const maxAliases = 100;

/** A parsed YAML file and where everything in it stands. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** The value as plain data; `undefined` where the file could not be read as YAML. */
  readonly value: unknown;
  readonly document: Document | null;
  readonly diagnostics: readonly Diagnostic[];
}

interface Span {
  readonly offset: number;
  readonly length: number;
}

/**
 * Parses one YAML document with anchors, aliases and merge keys.
 * Refuses (as diagnostics, never by throwing) syntax errors, duplicate keys, more than one document,
 * files over 1 MiB, nesting deeper than 64 levels and aliases that multiply beyond 100.
 */
export function parseSource(file: string, text: string): Source {
  const failed = (...diagnostics: Diagnostic[]): Source => ({ file, text, value: undefined, document: null, diagnostics });
  const at = (code: DiagnosticCode, message: string, hint: string | null, span: Span = { offset: 0, length: 1 }) =>
    diagnosticAt(file, text, span, { code, severity: "error", message, expected: null, hint });
  if (Buffer.byteLength(text) > maxFileBytes)
    return failed(
      at("file-too-large", "the file is larger than 1 MiB", "an environment is a few kilobytes; split it with extends"),
    );
  const deep = tooDeep(text);
  if (deep !== null) return failed(at("yaml-too-deep", `nested deeper than ${maxDepth} levels`, null, deep));
  try {
    const [document, second] = parseAllDocuments(text, {
      merge: true,
      uniqueKeys: true,
      lineCounter: new LineCounter(),
      prettyErrors: false,
      version: "1.2",
    }) as Document.Parsed[];
    if (document === undefined) return failed(at("yaml-syntax", "the file is empty", "start from environments/base.yaml"));
    if (second !== undefined)
      return failed(
        at("yaml-multi-document", "the file holds more than one YAML document", "one environment a file", {
          offset: second.range[0],
          length: 3,
        }),
      );
    const problems = document.errors.map((error) => {
      const span = { offset: error.pos[0], length: Math.max(1, error.pos[1] - error.pos[0]) };
      return error.code === "DUPLICATE_KEY"
        ? at("yaml-duplicate-key", "the same key stands twice in one map", "keep one of the two", span)
        : at("yaml-syntax", lowerFirst(error.message), null, span);
    });
    if (problems.length > 0) return failed(...problems);
    return { file, text, value: document.toJS({ maxAliasCount: maxAliases }), document, diagnostics: [] };
  } catch (error) {
    if (error instanceof ReferenceError) return failed(at("yaml-alias", lowerFirst(error.message), "write the values out"));
    if (error instanceof RangeError) return failed(at("yaml-too-deep", "nested too deeply to be read", null));
    return failed(at("yaml-syntax", lowerFirst(error instanceof Error ? error.message : String(error)), null));
  }
}

/** A diagnostic about the key or the value at a path; about the nearest ancestor where the path does not exist. */
export function diagnosticAtPath(
  source: Source,
  path: Path,
  part: "key" | "value",
  finding: Omit<Diagnostic, "file" | "line" | "column" | "excerpt">,
): Diagnostic {
  return diagnosticAt(source.file, source.text, spanOf(source, path, part), finding);
}

/** A diagnostic about a place in a text, with its line as excerpt. */
function diagnosticAt(
  file: string,
  text: string,
  span: Span,
  finding: Omit<Diagnostic, "file" | "line" | "column" | "excerpt">,
): Diagnostic {
  const offset = Math.min(span.offset, text.length);
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const line = text.slice(start, end === -1 ? undefined : end).replace(/\r$/, "");
  const column = offset - start + 1;
  const excerpt: Excerpt | null =
    line.trim() === "" ? null : { text: line, length: Math.max(1, Math.min(span.length, line.length - column + 1)) };
  return { file, line: countLines(text, start) + 1, column, excerpt, ...finding };
}

function spanOf(source: Source, path: Path, part: "key" | "value"): Span {
  let node: Node | null = (source.document?.contents as Node | null | undefined) ?? null;
  let key: Node | null = null;
  for (const step of path) {
    const pair = child(source, node, step);
    if (pair === null) break;
    key = isPair(pair) && isNode(pair.key) ? pair.key : null;
    const value: unknown = isPair(pair) ? pair.value : pair;
    if (!isNode(value)) {
      node = key;
      break;
    }
    node = value;
  }
  const target = part === "key" && key !== null ? key : (node ?? key);
  // A collection starts where its first entry does: point at the key above it instead of its whole body.
  const range = (isMap(target) || isSeq(target)) && !target.flow && key !== null ? key.range : target?.range;
  return range ? { offset: range[0], length: Math.max(1, range[1] - range[0]) } : { offset: 0, length: 1 };
}

/** The entry of a map or sequence, seen through aliases and merge keys. */
function child(source: Source, parent: Node | null, step: string | number): Pair | Node | null {
  const node = isAlias(parent) && source.document ? (parent.resolve(source.document) ?? null) : parent;
  if (isSeq(node)) return (node.items[Number(step)] as Node | undefined) ?? null;
  if (!isMap(node)) return null;
  const own = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step));
  if (own !== undefined) return own;
  for (const pair of node.items) {
    if (!isScalar(pair.key) || pair.key.source !== "<<") continue;
    const merged = isSeq(pair.value) ? pair.value.items : [pair.value];
    for (const item of merged) {
      const found = child(source, item as Node, step);
      if (found !== null) return found;
    }
  }
  return null;
}

/** Where nesting passes the limit, judged by brackets and indentation before the recursive parser runs. */
function tooDeep(text: string): Span | null {
  let depth = 0;
  let dashes = 0;
  for (let offset = 0; offset < text.length; offset += 1) {
    const character = text[offset];
    if (character === "[" || character === "{") depth += 1;
    else if (character === "]" || character === "}") depth = Math.max(0, depth - 1);
    else if (character === "\n") dashes = 0;
    else if ((character === "-" || character === "?") && text[offset + 1] === " ") dashes += 1;
    if (depth > maxDepth || dashes > maxDepth) return { offset, length: 1 };
  }
  return null;
}

function countLines(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, "");
}
