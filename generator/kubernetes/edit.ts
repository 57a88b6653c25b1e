import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, Scalar, visit, YAMLMap } from "yaml";
import type { Path } from "../diagnostics/source.ts";
import { asKubectl, parseDocuments } from "./documents.ts";
import { toYaml } from "./yaml.ts";

/**
 * Sets the value at a path, and creates the maps of the path if they do not exist. No other value changes, even if an
 * alias refers to the value at the path.
 */
export function setAt(document: Document, path: Path, value: unknown): void {
  expandAliases(document);
  const parent = descend(document, path.slice(0, -1));
  const last = path.at(-1) ?? "";
  if (isSeq(parent)) parent.set(Number(last), nodeOf(value));
  else if (isMap(parent)) setKey(parent, String(last), nodeOf(value));
}

/** Appends an item to a list. */
export function append(document: Document, path: Path, value: unknown): void {
  expandAliases(document);
  const list = descend(document, path);
  if (!isSeq(list)) throw new Error(`no list at ${path.join(".")}`);
  list.flow = false;
  list.add(nodeOf(value));
}

/** Removes an item of a list. */
export function removeItem(document: Document, path: Path): void {
  expandAliases(document);
  const list = descend(document, path.slice(0, -1));
  if (isSeq(list)) list.delete(Number(path.at(-1)));
}

/** Returns a document that contains a value and starts with `---`. */
function documentOf(value: unknown): Document.Parsed {
  const [document] = parseDocuments(toYaml([value]), asKubectl);
  if (document === undefined) throw new Error("no document");
  document.directives.docStart = true;
  return document;
}

/**
 * Replaces aliases and merge keys with copies of their values, so that each copy can be edited separately. As a result,
 * programs with incomplete support for anchors also read the correct values. The aliases of the document are not
 * recursive and expand to a limited size, because `plainValue` has already rejected all other documents.
 */
function expandAliases(document: Document): void {
  if (withoutAliases.has(document)) return;
  withoutAliases.add(document);
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

/**
 * Documents in which `expandAliases` has already replaced all aliases. Edits cannot add new aliases to these documents,
 * because the nodes that `nodeOf` creates contain no anchors.
 */
const withoutAliases = new WeakSet<Document>();

/**
 * Returns a node in which aliases and merge keys are replaced by copies of their values, and anchors are removed.
 *
 * @param targets the node to which each alias refers
 */
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
  return isScalar(key) && key.source === "<<" && (key.type === undefined || key.type === Scalar.PLAIN);
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
    } else throw new Error(`the parent of ${step} is not a map`);
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

/**
 * Returns the entry of a map that has a given key; undefined if the map has no such entry. If the key occurs several
 * times, returns the last entry, because kubectl and Helm also use the last entry.
 */
function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.findLast((pair) => keyOf(pair) === key);
}

function keyOf({ key }: Pair): string {
  return String(isScalar(key) ? (key.source ?? key.value) : key);
}

/**
 * Converts a value to a node. Adds quotes to a string if a YAML 1.1 or YAML 1.2 parser would read the string as a value
 * of another type.
 */
function nodeOf(value: unknown): Node {
  return documentOf(value).contents as Node;
}
