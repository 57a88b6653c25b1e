import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar as ScalarNode,
  type YAMLMap,
} from "yaml";
import { SopsError } from "./error.ts";
import { resolvePlain } from "./resolve.ts";
import type { Scalar } from "./scalar.ts";

export type Format = "yaml" | "json";

/** A value or a line of a comment, where it stands in the tree. */
export interface Leaf {
  /** Keys on the way to it; places in lists have none. A comment's is that of the map or list it stands in. */
  readonly path: readonly string[];
  readonly comment: boolean;
  /** Whether it is an item of a list. */
  readonly item: boolean;
  /** What it says now: a value by its type; for null there is no leaf. */
  read(): Scalar;
  /** Writes a value of a type. */
  write(scalar: Scalar): void;
}

/** A parsed file: its leaves in order, and the way back to text. */
export interface Tree {
  readonly format: Format;
  readonly document: Document.Parsed | Document;
  readonly root: YAMLMap;
  /** Leaves outside the key `sops`. */
  readonly leaves: readonly Leaf[];
  /** Steps that indent a level. */
  readonly indent: number;
  readonly indentSeq: boolean;
}

/**
 * Parses a file so that scalars keep the way they are written (schema `failsafe`) and mean what they mean to sops.
 *
 * @throws SopsError (syntax) with a line; (unsupported) for what sops would resolve, or lose: aliases, tags, several documents
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
    throw new SopsError("unsupported", "the file holds several YAML documents", "split it, one document a file");
  const [error] = document.errors;
  if (error !== undefined) throw new SopsError("syntax", `line ${lines.linePos(error.pos[0]).line} is no YAML (${error.code})`);
  const root = document.contents;
  if (!isMap(root)) throw new SopsError("syntax", "the file holds no map");
  return { format, document, root, leaves: [...leavesOf(document, root, format)], ...layoutOf(text) };
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    // The message quotes the text, which may be a secret.
    const [, position] = /at position (\d+)/.exec((error as Error).message) ?? [];
    const where = position === undefined ? "" : `, from line ${text.slice(0, Number(position)).split("\n").length} on`;
    throw new SopsError("syntax", `the file is no JSON${where}`);
  }
}

/** Letters at which YAML 1.1 (sops, and so Flux) ends a line or the file, and YAML 1.2 does not: the two would read different files. */
function refuseDisputed(text: string): void {
  if (/\r(?!\n)/.test(text))
    throw new SopsError("unsupported", "the file holds a carriage return that ends no line", "write it as \\r in double quotes");
  if (/[\x7f-\x9f\u2028\u2029]/.test(text))
    throw new SopsError(
      "unsupported",
      "the file holds control characters or line separators of Unicode",
      "write them as \\x7f, \\N, \\L or \\P in double quotes",
    );
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

/** `around` is the path of the collection that the node stands in, to which the comments of a scalar belong. */
function* nodeLeaves(node: Node | null, around: readonly string[], path: readonly string[], format: Format): Iterable<Leaf> {
  if (node === null) return;
  if (isAlias(node)) throw new SopsError("unsupported", `${shown(path)} is an alias`, "write the value out");
  if (isMap(node)) yield* mapLeaves(node, path, format);
  else if (isSeq(node)) {
    yield* commentLeaves(node, "commentBefore", path);
    for (const item of node.items) yield* nodeLeaves(item as Node | null, path, path, format);
    yield* commentLeaves(node, "comment", path);
  } else if (isScalar(node)) {
    yield* commentLeaves(node, "commentBefore", around);
    const scalar = meaning(node, path, format);
    if (scalar !== null) yield valueLeaf(node, path, format, path === around);
    yield* commentLeaves(node, "comment", around);
  }
}

function keyText(key: unknown, format: Format): string {
  if (isScalar(key) && typeof key.value === "string" && meaning(key, [key.value], format)?.type === "str") {
    // sops writes keys of several lines as blocks, which the stringifier cannot set in by four.
    if (key.type?.startsWith("BLOCK") === true) key.type = "QUOTE_DOUBLE";
    return key.value;
  }
  throw new SopsError("unsupported", `the key ${isScalar(key) ? String(key.value) : "of a map"} is no text`, "quote it");
}

/** What a scalar means; null for null. */
function meaning(node: ScalarNode, path: readonly string[], format: Format): Scalar | null {
  // `<<` is a text like any other to sops.
  if (node.tag === "tag:yaml.org,2002:merge") delete node.tag;
  if (node.tag !== undefined && node.tag !== "tag:yaml.org,2002:str")
    throw new SopsError("unsupported", `${shown(path)} has the tag ${node.tag}`, "write the value without a tag");
  const text = String(node.value);
  if (node.type !== "PLAIN" || node.tag !== undefined) return { type: "str", text };
  try {
    return format === "json" ? jsonMeaning(text) : resolvePlain(text);
  } catch (error) {
    throw new SopsError("unsupported", `${shown(path)}: ${(error as Error).message}`);
  }
}

/** Numbers of JSON: integers where they fit 64 bits, else floats (sops, stores/json, normalizeJSONNumber). */
function jsonMeaning(text: string): Scalar | null {
  if (/^-?[0-9]+$/.test(text) && BigInt(text) >= -(2n ** 63n) && BigInt(text) < 2n ** 63n)
    return { type: "int", text: String(BigInt(text)) };
  if (!/^[-0-9]/.test(text)) return resolvePlain(text);
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error("the value is too large a number for SOPS");
  return { type: "float", text: Object.is(value, -0) ? "-0" : String(value) };
}

function valueLeaf(node: ScalarNode, path: readonly string[], format: Format, item: boolean): Leaf {
  return {
    path,
    comment: false,
    item,
    read: () => meaning(node, path, format) ?? { type: "str", text: "" },
    write: (scalar) => {
      if (scalar.type === "comment") node.value = new ListComment(scalar.text);
      else
        node.value =
          scalar.type === "bool" ? scalar.text.toLowerCase() : scalar.type === "float" ? floatText(scalar.text) : scalar.text;
      delete node.tag;
      node.type = styleOf(scalar, format);
    },
  };
}

/** A comment among the items of a list, where sops keeps it as an encrypted item. */
export class ListComment {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A float as YAML spells it, so that it is read as one again: with a point, or by the name of what is no number. */
function floatText(text: string): string {
  const special = ({ NaN: ".nan", "+Inf": ".inf", "-Inf": "-.inf" } as Record<string, string>)[text];
  return special ?? (text.includes(".") ? text : `${text}.0`);
}

/** How a value must be written to be read as its type: by sops, and by readers of YAML 1.1 too. */
function styleOf({ type, text }: Scalar, format: Format): ScalarNode.Type {
  if (type !== "str") return "PLAIN";
  if (format === "json") return "QUOTE_DOUBLE";
  if (/[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\ufeff\u2028\u2029]/u.test(text)) return "QUOTE_DOUBLE";
  if (/\n/.test(text)) return /^[ \t\n]|[ \t]\n|[ \t]$/.test(text) || !/\S/.test(text) ? "QUOTE_DOUBLE" : "BLOCK_LITERAL";
  if (/^(y|n|yes|no|on|off|true|false|null|~|=|<<)$/i.test(text) || /^[-+.0-9]/.test(text) || text === "") return "QUOTE_DOUBLE";
  return "PLAIN";
}

type Commented = { comment?: string | null; commentBefore?: string | null };

/** The lines of a comment, each a leaf. */
function* commentLeaves(holder: unknown, field: keyof Commented, path: readonly string[]): Iterable<Leaf> {
  const owner = holder as Commented;
  const count = owner[field]?.split("\n").length ?? 0;
  for (let index = 0; index < count; index += 1) {
    const line = (): string => owner[field]?.split("\n")[index] ?? "";
    if (line() === "") continue;
    yield {
      path,
      comment: true,
      item: false,
      read: () => ({ type: "comment", text: line() }),
      write: ({ text }) => {
        const lines = (owner[field] ?? "").split("\n");
        lines[index] = text;
        owner[field] = lines.join("\n");
      },
    };
  }
}

/** How a file is indented, so that what is not changed stays as it is: the step of its first nested line, and whether lists are set in. */
function layoutOf(text: string): { indent: number; indentSeq: boolean } {
  const [, step = "  "] = /^[^\s#][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*#[^\n]*\n|[ \t]*\n)*( +)[^\s#-]/m.exec(text) ?? [];
  const flush = /^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text);
  return { indent: Math.min(Math.max(step.length, 2), 8), indentSeq: !flush };
}

export function shown(path: readonly string[]): string {
  return path.join(".");
}
