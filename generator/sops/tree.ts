import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type YAMLMap } from "yaml";
import { hasFlushLists } from "../system/text.ts";
import { checkJson, refuseDisputed } from "./ambiguous-yaml.ts";
import { SopsError } from "./error.ts";
import { commentLeaves, type Format, formatPath, type Leaf, resolveScalar, valueLeaf } from "./values.ts";

/** A parsed file: its leaves in order, and the data that meshops needs to write the tree as text again. */
export interface Tree {
  readonly format: Format;
  readonly document: Document.Parsed | Document;
  readonly root: YAMLMap;
  /** Leaves outside the key `sops`. */
  readonly leaves: readonly Leaf[];
  /** Number of spaces per indentation level. */
  readonly indent: number;
  readonly indentSeq: boolean;
}

/**
 * Parses a file. Scalars keep their notation (schema `failsafe`), and their values are resolved as in sops.
 *
 * @throws SopsError (syntax) with a line number; (unsupported) for content that sops would resolve or lose: aliases,
 *   tags, several documents
 */
export function parseTree(text: string, format: Format): Tree {
  if (format === "json") checkJson(text);
  else refuseDisputed(text);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: true,
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: false,
  });
  const [document, second] = documents;
  if (!Array.isArray(documents) || document === undefined) throw new SopsError("syntax", "the file is empty");
  if (second !== undefined)
    throw new SopsError("unsupported", "the file contains several YAML documents", "split the file into one file per document");
  const [error] = document.errors;
  if (error !== undefined)
    throw new SopsError("syntax", `line ${lines.linePos(error.pos[0]).line} is not valid YAML (${error.code})`);
  const root = document.contents;
  if (!isMap(root)) throw new SopsError("syntax", "the file does not contain a map");
  return { format, document, root, leaves: [...leavesOf(document, root, format)], ...layoutOf(text) };
}

function* leavesOf(document: Document, root: YAMLMap, format: Format): Iterable<Leaf> {
  yield* commentLeaves(document, "commentBefore", []);
  yield* mapLeaves(root, [], format);
  yield* commentLeaves(document, "comment", []);
}

function* mapLeaves(map: YAMLMap, path: readonly string[], format: Format): Iterable<Leaf> {
  yield* commentLeaves(map, "commentBefore", path);
  for (const { key, value } of map.items) {
    const name = keyText(key, format);
    yield* commentLeaves(key as Node, "commentBefore", path);
    if (path.length === 0 && name === "sops") continue;
    yield* commentLeaves(key as Node, "comment", path);
    yield* nodeLeaves(value as Node | null, path, [...path, name], format);
  }
  yield* commentLeaves(map, "comment", path);
}

/** @param around path of the collection that contains the node; the comments of a scalar have this path */
function* nodeLeaves(node: Node | null, around: readonly string[], path: readonly string[], format: Format): Iterable<Leaf> {
  if (node === null) return;
  if (isAlias(node)) throw new SopsError("unsupported", `${formatPath(path)} is an alias`, "replace the alias with its value");
  if (isMap(node)) yield* mapLeaves(node, path, format);
  else if (isSeq(node)) {
    yield* commentLeaves(node, "commentBefore", path);
    for (const item of node.items) yield* nodeLeaves(item as Node | null, path, path, format);
    yield* commentLeaves(node, "comment", path);
  } else if (isScalar(node)) {
    yield* commentLeaves(node, "commentBefore", around);
    const scalar = resolveScalar(node, path, format);
    if (scalar !== null) yield valueLeaf(node, path, format, path === around);
    yield* commentLeaves(node, "comment", around);
  }
}

function keyText(key: unknown, format: Format): string {
  if (isScalar(key) && typeof key.value === "string" && resolveScalar(key, [key.value], format)?.type === "str") {
    // sops writes multi-line keys as block scalars, which the library yaml cannot indent by four spaces.
    if (key.type?.startsWith("BLOCK") === true) key.type = "QUOTE_DOUBLE";
    return key.value;
  }
  throw new SopsError(
    "unsupported",
    `the key ${isScalar(key) ? String(key.value) : "of a map"} is not a string`,
    "quote the key",
  );
}

/**
 * Returns the number of spaces before the first nested line of a file, and whether the lists of the file are indented.
 * If meshops writes the file with this indentation, unchanged lines stay the same.
 */
function layoutOf(text: string): { indent: number; indentSeq: boolean } {
  const [, step = "  "] = /^[^\s#][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*#[^\n]*\n|[ \t]*\n)*( +)[^\s#-]/m.exec(text) ?? [];
  return { indent: Math.min(Math.max(step.length, 2), 8), indentSeq: !hasFlushLists(text) };
}
