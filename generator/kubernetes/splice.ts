import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";
import type { Path } from "../diagnostics/source.ts";
import { emitDocuments } from "./documents.ts";
import { append, removeItem, setAt } from "./edit.ts";
import { appendToList, insertIntoMap, NotSpliceable, removeFromList, replaceValue, type TextEdit } from "./splice-text.ts";

/** An edit of a document: sets the value at a path, appends an item to a list, or removes an item of a list. */
export type Edit =
  | { readonly op: "set" | "append"; readonly path: Path; readonly value: unknown }
  | { readonly op: "remove"; readonly path: Path };

/** A parsed document, and the offsets of the start and the end of its part of the text. */
export interface Chunk {
  readonly document: Document.Parsed;
  readonly from: number;
  readonly to: number;
}

/**
 * Returns one chunk per document. Together, the chunks cover the whole text. The chunk of the first document also
 * contains the text before this document, for example comments.
 */
export function chunksOf(documents: readonly Document.Parsed[], text: string): Chunk[] {
  return documents.map((document, index) => ({
    document,
    from: index === 0 ? 0 : (documents[index - 1]?.range[2] ?? 0),
    to: index === documents.length - 1 ? text.length : document.range[2],
  }));
}

/**
 * Returns the text of a document after edits. Usually, all bytes outside of the edited places stay the same. If an edit
 * is not possible in this way, the function expands the aliases of the document and writes the whole document again.
 * For example, the path of an edit can contain an anchor, an alias or a merge key. Without the expansion, this edit
 * would also change other places that refer to the same value.
 *
 * @param text the whole text from which the document was parsed
 */
export function splice({ document, from, to }: Chunk, text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return text.slice(from, to);
  try {
    const found = textEdits(document, text, edits);
    return applied(text.slice(from, to), from, found);
  } catch (error) {
    if (!(error instanceof NotSpliceable)) throw error;
    return rewritten(document, text.slice(from, to), edits);
  }
}

function applied(text: string, offset: number, edits: readonly TextEdit[]): string {
  let result = text;
  for (const { from, to, insert } of edits.toSorted((a, b) => b.from - a.from || b.to - a.to))
    result = result.slice(0, from - offset) + insert + result.slice(to - offset);
  return result;
}

function rewritten(document: Document.Parsed, text: string, edits: readonly Edit[]): string {
  for (const edit of edits) if (edit.op === "set") setAt(document, edit.path, edit.value);
  for (const edit of edits) if (edit.op === "append") append(document, edit.path, edit.value);
  const removals = edits.filter(({ op }) => op === "remove");
  for (const { path } of removals.toSorted((a, b) => Number(b.path.at(-1)) - Number(a.path.at(-1)))) removeItem(document, path);
  return emitDocuments([document], text);
}

function textEdits(document: Document.Parsed, text: string, edits: readonly Edit[]): TextEdit[] {
  const root = document.contents as Node | null;
  const sets = edits.flatMap((edit) => (edit.op === "set" ? [edit] : []));
  const lists = new Map<Node, { node: YAMLSeq; append: unknown[]; remove: Set<number> }>();
  const created: Edit[] = [];
  for (const edit of edits) {
    if (edit.op === "set") continue;
    const path = edit.op === "append" ? edit.path : edit.path.slice(0, -1);
    const node = nodeAt(root, path);
    if (!isSeq(node)) {
      // The document does not contain the list yet. `newLists` combines the appended items to a new list.
      if (edit.op === "append") created.push(edit);
      continue;
    }
    const list = lists.get(node) ?? { node, append: [], remove: new Set() };
    if (edit.op === "append") list.append.push(edit.value);
    else list.remove.add(Number(edit.path.at(-1)));
    lists.set(node, list);
  }
  const patch = patchOf([...sets, ...newLists(created)]);
  return [
    ...(patch.size === 0 ? [] : editsIn(root, patch, text, null)),
    ...[...lists.values()].flatMap(({ node, append: values, remove }) => [
      ...(remove.size === 0 ? [] : removeFromList(node, remove, values.length > 0, text)),
      ...(values.length === 0 ? [] : [appendToList(node, values, remove, text)]),
    ]),
  ];
}

/**
 * Combines edits that append items to lists that the document does not contain yet. Returns one edit per list, which
 * sets the whole list.
 */
function newLists(edits: readonly Edit[]): Extract<Edit, { value: unknown }>[] {
  const byPath = new Map<string, { path: Path; value: unknown[] }>();
  for (const edit of edits) {
    if (edit.op !== "append") continue;
    const key = JSON.stringify(edit.path);
    const list = byPath.get(key) ?? { path: edit.path, value: [] };
    list.value.push(edit.value);
    byPath.set(key, list);
  }
  return [...byPath.values()].map((list) => ({ op: "set", ...list }));
}

/** Returns the text of a file with a single document after edits (see `splice`). */
export function spliceOne(document: Document, text: string, edits: readonly Edit[]): string {
  return splice({ document: document as Document.Parsed, from: 0, to: text.length }, text, edits);
}

/**
 * Values to set in a map or list, by key or index. An entry is either a new value or a patch for the existing value.
 */
type Patch = Map<string, Patch | Leaf>;

class Leaf {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

function patchOf(sets: readonly { readonly path: Path; readonly value: unknown }[]): Patch {
  const root: Patch = new Map();
  for (const { path, value } of sets) {
    let at = root;
    for (const step of path.slice(0, -1)) {
      const next = at.get(String(step));
      const map: Patch = next instanceof Map ? next : new Map();
      at.set(String(step), map);
      at = map;
    }
    at.set(String(path.at(-1)), new Leaf(value));
  }
  return root;
}

/** Converts a patch to a new value. Use this function if the document contains no value at the path of the patch. */
function plain(patch: Patch | Leaf): unknown {
  if (patch instanceof Leaf) return patch.value;
  return Object.fromEntries([...patch].map(([key, child]) => [key, plain(child)]));
}

function nodeAt(root: Node | null, path: Path): Node | null {
  let node = root;
  for (const step of path) node = childOf(node, String(step));
  return node;
}

function childOf(node: Node | null, step: string): Node | null {
  refuseShared(node);
  if (isSeq(node)) return (node.items[Number(step)] as Node | undefined) ?? null;
  return isMap(node) ? ((pairOf(node, step)?.value as Node | null | undefined) ?? null) : null;
}

/** @throws NotSpliceable if the node has an anchor, is an alias, or is a map with a merge key */
function refuseShared(node: Node | null): void {
  const isMerged = isMap(node) && node.items.some(({ key }) => isScalar(key) && key.source === "<<");
  if (isAlias(node) || isMerged || (node as { anchor?: string } | null)?.anchor !== undefined) throw new NotSpliceable();
}

/** @param key the key whose value is the node; null for the root and for items of a list */
function editsIn(node: Node | null, patch: Patch, text: string, key: Node | null): TextEdit[] {
  refuseShared(node);
  if (isSeq(node))
    return [...patch].flatMap(([step, child]) => {
      const item = node.items[Number(step)] as Node | undefined;
      if (item === undefined) throw new NotSpliceable();
      if (child instanceof Map) return editsIn(item, child, text, null);
      refuseShared(item);
      return [replaceValue({ value: item, key: null, flow: node.flow === true }, child.value, text)];
    });
  if (!isMap(node)) throw new NotSpliceable();
  const added: Record<string, unknown> = {};
  const edits = [...patch].flatMap(([step, child]) => {
    const pair = pairOf(node, step);
    if (pair === undefined) {
      added[step] = plain(child);
      return [];
    }
    const value = pair.value as Node | null;
    if (child instanceof Map && (isMap(value) || isSeq(value)) && value.items.length > 0)
      return editsIn(value, child, text, pair.key as Node);
    if (value !== null) refuseShared(value);
    return [replaceValue({ value, key: pair.key as Node, flow: node.flow === true }, plain(child), text)];
  });
  return Object.keys(added).length === 0 ? edits : [...edits, insertIntoMap(node as YAMLMap, key, added, text)];
}

/**
 * Returns the entry of a map that has a given key; undefined if the map has no such entry. If the key occurs several
 * times, returns the last entry, because kubectl and Helm also use the last entry.
 */
function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast(({ key: own }) => String(isScalar(own) ? (own.source ?? own.value) : own) === key);
}
