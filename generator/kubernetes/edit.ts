import {
  Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  parseDocument,
  Scalar,
  visit,
  YAMLMap,
} from "yaml";
import type { Path } from "../diagnostics/source.ts";
import { hasFlushLists } from "../system/text.ts";
import { toYaml } from "./yaml.ts";

/** YAML documents that can be changed in places and are written back as they stood everywhere else. */
export interface Editable {
  readonly documents: readonly Document[];
  readonly style: Style;
}

/** How a text is laid out, as far as it can be kept. */
interface Style {
  /** Whether a list stands deeper than its key. */
  readonly indentSeq: boolean;
  /** Whether there are spaces inside the braces of flow maps. */
  readonly flowCollectionPadding: boolean;
}

/**
 * Reads a YAML stream for editing. Plain scalars stay as they are written (schema `failsafe`): `1e3`, `yes` and numbers beyond 2^53
 * come out as they came in. Comments and tags stay; of documents that are edited, aliases and merge keys are written out.
 */
export function parseEditable(text: string): Editable {
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    keepSourceTokens: false,
  }) as Document[];
  // Said once, it holds for all; said again without an end of document before it, it is no directive.
  for (const { directives } of documents.slice(1)) if (directives !== undefined) directives.yaml.explicit = false;
  const style = {
    indentSeq: !hasFlushLists(text),
    flowCollectionPadding: !/[:-] [[{][^\s\]}]/.test(text),
  };
  return { documents, style };
}

/** The text of edited documents. */
export function emitEditable({ documents, style }: Editable): string {
  return documents.map((document) => document.toString({ lineWidth: 0, ...style })).join("");
}

/** Sets a value, and makes the maps on the way to it where there are none. Nobody else's value changes with it, not by an anchor either. */
export function setAt(document: Document, path: Path, value: unknown): void {
  writeOut(document);
  const parent = descend(document, path.slice(0, -1));
  const last = path.at(-1) ?? "";
  if (isSeq(parent)) parent.set(Number(last), nodeOf(value));
  else if (isMap(parent)) setKey(parent, String(last), nodeOf(value));
}

/** Appends an item to a list. */
export function append(document: Document, path: Path, value: unknown): void {
  writeOut(document);
  const list = descend(document, path);
  if (!isSeq(list)) throw new Error(`no list at ${path.join(".")}`);
  list.flow = false;
  list.add(nodeOf(value));
}

/** Takes items out of a list. */
export function removeItems(document: Document, path: Path, indexes: ReadonlySet<number>): void {
  writeOut(document);
  const list = descend(document, path);
  if (isSeq(list)) list.items = list.items.filter((_, index) => !indexes.has(index));
}

/** A document of its own, as `emitEditable` writes it after others. */
export function documentOf(value: unknown): Document {
  const document = new Document(null, { schema: "failsafe" });
  document.contents = nodeOf(value) as Document["contents"];
  if (document.directives) document.directives.docStart = true;
  return document;
}

/**
 * Writes out aliases and merge keys, so that every value is its own. Whoever reads with less care for anchors reads the same.
 * The reader before us has refused what contains itself, and what would grow too large.
 */
function writeOut(document: Document): void {
  if (writtenOut.has(document)) return;
  writtenOut.add(document);
  const targets = new Map<Node, Node>();
  let anchored = false;
  visit(document, {
    Node: (_, node) => {
      const target = isAlias(node) ? node.resolve(document) : undefined;
      if (target !== undefined) targets.set(node, target);
      anchored ||= (node as { anchor?: string }).anchor !== undefined;
    },
  });
  if (anchored) document.contents = expanded(document.contents as Node, targets) as Document["contents"];
}

/** Documents whose values are each their own: what is set later brings no anchors. */
const writtenOut = new WeakSet<Document>();

/** @param targets what each alias stands for */
function expanded(node: Node, targets: ReadonlyMap<Node, Node>): Node {
  const target = targets.get(node);
  if (target !== undefined) return expanded(target, targets).clone() as Node;
  delete (node as { anchor?: string }).anchor;
  if (isSeq(node)) node.items = node.items.map((item) => expanded(item as Node, targets));
  if (isMap(node)) {
    for (const pair of node.items) {
      if (isNode(pair.key)) pair.key = expanded(pair.key, targets);
      if (isNode(pair.value)) pair.value = expanded(pair.value, targets);
    }
    const merged = node.items.filter(isMerge).flatMap(({ value }) => (isSeq(value) ? value.items : [value]));
    node.items = node.items.filter((pair) => !isMerge(pair));
    for (const map of merged)
      if (isMap(map)) for (const pair of map.items) if (pairOf(node, keyOf(pair)) === undefined) node.items.push(pair);
  }
  return node;
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.value === "<<" && (key.type === undefined || key.type === Scalar.PLAIN);
}

function descend(document: Document, path: Path): Node | null {
  let node = document.contents as Node | null;
  for (const step of path) {
    if (isSeq(node)) node = (node.items[Number(step)] as Node | undefined) ?? null;
    else if (isMap(node)) {
      const child = pairOf(node, String(step))?.value;
      const next: Node = isMap(child) || isSeq(child) ? child : new YAMLMap(document.schema);
      if (next !== child) setKey(node, String(step), next);
      node = next;
    } else throw new Error(`no map above ${step}`);
  }
  return node;
}

function setKey(map: YAMLMap, key: string, value: Node): void {
  const found = pairOf(map, key);
  if (found !== undefined) found.value = value;
  else {
    map.add({ key: new Scalar(key), value } as never);
    if (map.flow && map.items.length === 1) map.flow = false;
  }
}

/** The entry of a key: the last one, as readers take it where there are several. */
function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast((pair) => keyOf(pair) === key);
}

function keyOf({ key }: Pair): string {
  return String(isScalar(key) ? key.value : key);
}

/** A value as a node whose scalars are quoted where another schema would read them as something else. */
function nodeOf(value: unknown): Node {
  return parseDocument(toYaml([value]), { schema: "failsafe" }).contents as Node;
}
