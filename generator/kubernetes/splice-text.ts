import { isMap, isScalar, isSeq, type Node, Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import { toYaml } from "./yaml.ts";

/** Replaces a part of a text. Positions are offsets in the whole text. */
export interface TextEdit {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** Thrown if an edit cannot replace only a part of the text. In this case, the whole document must be written again. */
export class NotSpliceable extends Error {}

/**
 * Returns the edit that adds entries to a block map or flow map. In a block map, adds the entries at the end, or at the
 * start if the map ends with a block scalar. In a flow map, adds the entries at the start.
 */
export function insertIntoMap(
  map: YAMLMap,
  key: Node | null,
  entries: Readonly<Record<string, unknown>>,
  text: string,
): TextEdit {
  const [start] = rangeOf(map);
  const first = map.items[0]?.key as Node | undefined;
  if (map.flow === true || text[start] === "{") {
    const json = first === undefined ? isJson(text, start) : text[rangeOf(first)[0]] === '"';
    const texts = Object.entries(entries).map(([name, value]) => flowEntry(name, value, json));
    if (first === undefined) return { from: start + 1, to: text.indexOf("}", start), insert: texts.join(", ") };
    const gap = text.slice(start + 1, rangeOf(first)[0]);
    if (/[^\s]/.test(gap)) throw new NotSpliceable();
    const between = gap.includes("\n") ? gap : " ";
    return { from: start + 1, to: start + 1, insert: `${gap}${texts.join(`,${between}`)},${gap === "" ? " " : ""}` };
  }
  if (first === undefined) throw new NotSpliceable();
  const column = columnOf(text, rangeOf(first)[0]);
  const lines = blockLines(entries, column, newlineOf(text));
  const end = endOf(map);
  if (end !== null) return afterLine(end, lines, text);
  // The map ends with a block scalar. Lines after the block scalar could become a part of the block scalar, so insert
  // the new entries before the first entry of the map.
  if (key === null && column > 0) throw new NotSpliceable();
  const at = key === null ? lineStart(text, rangeOf(first)[0]) : nextLine(text, rangeOf(key)[1]);
  if (at > rangeOf(first)[0]) throw new NotSpliceable();
  return { from: at, to: at, insert: lines };
}

/**
 * Returns the offset of the end of the last value in a block collection. Returns null if this last value is a block
 * scalar.
 */
function endOf(node: Node): number | null {
  if ((isMap(node) || isSeq(node)) && node.flow !== true && node.items.length > 0) {
    const last = node.items.at(-1) as Node | { key: Node; value: Node | null };
    if (!("key" in last)) return endOf(last);
    const value = last.value;
    // If the value is missing, use the range of its key.
    return value === null || (isScalar(value) && value.source === "") ? rangeOf(last.key)[1] : endOf(value);
  }
  return isBlockScalar(node) ? null : rangeOf(node)[1];
}

/** Returns the edit that adds lines after the line that contains an offset. */
function afterLine(offset: number, lines: string, text: string): TextEdit {
  const at = nextLine(text, offset);
  return text[at - 1] === "\n"
    ? { from: at, to: at, insert: lines }
    : { from: at, to: at, insert: `${newlineOf(text)}${lines.trimEnd()}` };
}

/** Either a value of a map, with the key of this value, or an item of a list. The field `key` of an item is null. */
export interface Place {
  readonly key: Node | null;
  readonly value: Node | null;
  /** Whether the map or list is in flow style. */
  readonly flow: boolean;
}

/** Returns the edit that replaces a value, or that inserts a value after a key without a value. */
export function replaceValue({ key, value, flow }: Place, next: unknown, text: string): TextEdit {
  const [from, to] = value === null ? emptyAfter(key, text) : rangeOf(value);
  const isCollection = typeof next === "object" && next !== null && Object.keys(next).length > 0;
  const inFlow = flow || ((isMap(value) || isSeq(value)) && value.items.length === 0);
  if (inFlow || !isCollection) {
    const written = inFlow ? flowText(next, isJson(text, from)) : scalarText(next);
    const block = text[from] === "|" || text[from] === ">" || isBlock(value);
    if (block && isBlock(value)) throw new NotSpliceable();
    const gap = from === to && /\S/.test(text[from - 1] ?? " ") ? " " : "";
    return { from, to, insert: `${gap}${written}${block ? newlineOf(text) : ""}` };
  }
  if (key === null) throw new NotSpliceable();
  const newline = newlineOf(text);
  const column = columnOf(text, lineIndent(text, rangeOf(key)[0])) + 2;
  const lines = blockLines(next, column, newline);
  if (from === to) {
    // The key has no value. Insert the new lines below the line of the key, because this line can end with a comment.
    return afterLine(rangeOf(key)[1], lines, text);
  }
  if (isBlock(value)) return { from: lineStart(text, from), to, insert: text[to - 1] === "\n" ? lines : lines.trimEnd() };
  return { from: text.lastIndexOf(":", from) + 1, to, insert: `${newline}${lines.trimEnd()}` };
}

/**
 * Returns the edit that adds items at the end of a list. If the list ends with a block scalar and the text does not end
 * with a line break, the edit adds the items at the start of the list.
 *
 * @param removed indexes of the items that other edits remove from the list
 */
export function appendToList(list: YAMLSeq, values: readonly unknown[], removed: ReadonlySet<number>, text: string): TextEdit {
  const [start, end] = rangeOf(list);
  const last = list.items.at(-1) as Node | undefined;
  if (list.flow === true || last === undefined) {
    const json = isJson(text, start);
    const close = text.lastIndexOf("]", end - 1);
    const left = list.items.length - removed.size;
    if (last === undefined || left === 0)
      return { from: close, to: close, insert: values.map((value) => flowText(value, json)).join(", ") };
    const gap = /\s*$/.exec(text.slice(start + 1, rangeOf(list.items[0] as Node)[0]))?.[0] ?? "";
    const at = rangeOf(last)[1];
    return { from: at, to: at, insert: values.map((value) => `,${gap === "" ? " " : gap}${flowText(value, json)}`).join("") };
  }
  const lines = blockLines(values, columnOf(text, start), newlineOf(text));
  const lastEnd = endOf(list);
  if (lastEnd !== null) return afterLine(lastEnd, lines, text);
  // The list ends with a block scalar. If the text of the block scalar ends with a line break, items that are added
  // after the block scalar do not change the value of the block scalar.
  if (text[end - 1] === "\n") return { from: end, to: end, insert: lines };
  return { from: lineStart(text, start), to: lineStart(text, start), insert: lines };
}

/**
 * Returns the edits that remove items from a list.
 *
 * @param refilled whether another edit adds items to the list, so that the list does not become empty
 */
export function removeFromList(list: YAMLSeq, removed: ReadonlySet<number>, refilled: boolean, text: string): TextEdit[] {
  if (list.flow === true) throw new NotSpliceable();
  const [start, end] = rangeOf(list);
  if (removed.size === list.items.length && !refilled) {
    const colon = text.lastIndexOf(":", start);
    return [{ from: colon + 1, to: end, insert: ` []${text[end - 1] === "\n" ? newlineOf(text) : ""}` }];
  }
  return [...removed].map((index) => {
    const [from, to] = rangeOf(list.items[index] as Node);
    const dash = text.lastIndexOf("-", from - 1);
    return { from: lineStart(text, dash), to: text[to - 1] === "\n" ? to : nextLine(text, to), insert: "" };
  });
}

/**
 * Whether a node ends with a block scalar. Text that is added directly after the node would become part of this block
 * scalar.
 */
export function endsInBlockScalar(node: Node | null): boolean {
  if (isMap(node)) return endsInBlockScalar((node.items.at(-1)?.value ?? null) as Node | null);
  return isSeq(node) ? endsInBlockScalar((node.items.at(-1) ?? null) as Node | null) : isBlockScalar(node);
}

function isBlockScalar(node: Node | null): boolean {
  return isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED);
}

/** Returns the line break that a text uses, determined from the end of its first line. */
export function newlineOf(text: string): "\n" | "\r\n" {
  return text[text.indexOf("\n") - 1] === "\r" ? "\r\n" : "\n";
}

function rangeOf(node: Node): [start: number, end: number] {
  if (node.range == null) throw new NotSpliceable();
  return [node.range[0], node.range[1]];
}

/** Returns the empty range after the colon of a key that has no value. The value can be inserted at this offset. */
function emptyAfter(key: Node | null, text: string): [start: number, end: number] {
  if (key === null) throw new NotSpliceable();
  const colon = text.indexOf(":", rangeOf(key)[1]);
  return [colon + 1, colon + 1];
}

function isBlock(value: Node | null): boolean {
  return (isMap(value) || isSeq(value)) && value.flow !== true;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Returns the offset after the leading spaces and list dashes of a line; at most `offset`. */
function lineIndent(text: string, offset: number): number {
  const start = lineStart(text, offset);
  return start + (/^[ -]*/.exec(text.slice(start, offset))?.[0].length ?? 0);
}

/** Returns the offset of the start of the next line. If no line follows, returns the offset of the end of the text. */
function nextLine(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

function blockLines(value: unknown, column: number, newline: string): string {
  const indent = " ".repeat(column);
  const lines = toYaml([value]).trimEnd().split("\n");
  return lines.map((line) => `${line === "" ? "" : indent}${line}${newline}`).join("");
}

function scalarText(value: unknown): string {
  const written = toYaml([value]).trimEnd();
  return written.includes("\n") ? JSON.stringify(value) : written;
}

/**
 * Whether to write a value in a flow collection as JSON. True if the key directly before `offset` has double quotes, or
 * if the whole text starts with `{"` or `["`.
 */
function isJson(text: string, offset: number): boolean {
  return /"\s*:\s*$/.test(text.slice(Math.max(0, offset - 400), offset)) || /^\s*[{[]\s*"/.test(text);
}

function flowEntry(key: string, value: unknown, json: boolean): string {
  return `${flowText(key, json)}: ${flowText(value, json)}`;
}

/** Returns the text of a value inside a flow collection. */
function flowText(value: unknown, json: boolean): string {
  if (json) return JSON.stringify(value);
  if (typeof value === "object" && value !== null) {
    if (Array.isArray(value)) return `[${value.map((item) => flowText(item, json)).join(", ")}]`;
    return `{${Object.entries(value)
      .map(([key, item]) => flowEntry(key, item, json))
      .join(", ")}}`;
  }
  const written = scalarText(value);
  return typeof value === "string" && /[,[\]{}]/.test(written) && !/^["']/.test(written) ? JSON.stringify(value) : written;
}
