import type { Document } from "yaml";
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node, type Pair } from "yaml";
import { masked } from "../system/text.ts";
import type { Diagnostic, Excerpt } from "./diagnostic.ts";
import { maxFindings } from "./limits.ts";

/** Keys and indexes from the root of a document to a value. */
export type Path = readonly (string | number)[];

/** A parsed YAML file, with the positions of its values. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** The value as plain data; `undefined` if the file could not be parsed as YAML. */
  readonly value: unknown;
  readonly document: Document | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** A part of a text. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/**
 * Content of a diagnostic, without its location. In the fix, `%s` is replaced by the part of the file to which the
 * diagnostic refers.
 */
export type Statement = Omit<Diagnostic, "file" | "line" | "column" | "excerpt" | "path">;

/**
 * Returns a diagnostic about the key or the value at a path. If the path does not exist, the diagnostic refers to the
 * nearest existing ancestor.
 */
export function diagnosticAtPath(source: Source, path: Path, part: "key" | "value", statement: Statement): Diagnostic {
  return { ...diagnosticAt(source.file, source.text, spanOf(source, path, part), statement), path };
}

/**
 * Returns a diagnostic about a span of a text. The excerpt is the line in which the span starts. Masks age private keys
 * and passwords, because messages quote values from files, and users store messages in logs.
 */
export function diagnosticAt(file: string, text: string, span: Span, statement: Statement): Diagnostic {
  const offset = Math.min(span.offset, text.length);
  const start = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  const end = text.indexOf("\n", offset);
  const line = text.slice(start, end === -1 ? undefined : end).replace(/\r$/, "");
  const column = offset - start + 1;
  const excerpt: Excerpt | null =
    line.trim() === "" ? null : { text: masked(line), length: Math.max(1, Math.min(span.length, line.length - column + 1)) };
  const { message, expected } = statement;
  const fix = statement.fix?.replace("%s", () => text.slice(offset, offset + span.length)) ?? null;
  const words = { message: masked(message), expected: expected && masked(expected), fix: fix && masked(fix) };
  return { file, line: countLines(text, start) + 1, column, excerpt, ...statement, ...words };
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
  // The position of a collection is the position of its first entry. Use the position of the collection's key instead.
  const range = (isMap(target) || isSeq(target)) && !target.flow && key !== null ? key.range : target?.range;
  return range ? { offset: range[0], length: Math.max(1, range[1] - range[0]) } : { offset: 0, length: 1 };
}

/**
 * Returns the entry of a map with the key `step`, or the item of a sequence with the index `step`. Resolves aliases and
 * merge keys. Returns null if the entry or the item does not exist.
 */
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

function countLines(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

/**
 * Converts the first problems of a file to diagnostics, at most `maxFindings`. If the file has more problems, adds a
 * diagnostic with the number of omitted problems. Does not compute positions of omitted problems, because this takes
 * much time in large files.
 */
export function capped<T>(problems: readonly T[], toDiagnostic: (problem: T) => Diagnostic): Diagnostic[] {
  const listed = problems.slice(0, maxFindings).map(toDiagnostic);
  const last = listed.at(-1);
  const omitted = problems.length - listed.length;
  if (last === undefined || omitted === 0) return listed;
  return [
    ...listed,
    {
      ...last,
      code: "too-many-findings",
      message: `${omitted} more findings in this file are not listed`,
      expected: null,
      fix: null,
    },
  ];
}
