import { Document, isAlias, isMap, isSeq, type Node, parseAllDocuments, parseDocument, Scalar, type YAMLMap } from "yaml";
import type { Path } from "../spec/source.ts";
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
 * come out as they came in. Comments, anchors and tags stay.
 */
export function parseEditable(text: string): Editable {
  const documents = parseAllDocuments(text, {
    schema: "failsafe",
    resolveKnownTags: false,
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    keepSourceTokens: false,
  });
  const style = {
    indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text),
    flowCollectionPadding: !/[:-] [[{][^\s\]}]/.test(text),
  };
  return { documents: documents as Document[], style };
}

/** The text of edited documents. */
export function emitEditable({ documents, style }: Editable): string {
  return documents.map((document) => document.toString({ lineWidth: 0, ...style })).join("");
}

/** Sets a value, and makes the maps on the way to it where there are none. An alias on the way is written out, so that nobody else's value changes. */
export function setAt(document: Document, path: Path, value: unknown): void {
  let map = document.contents as Node | null;
  for (const step of path.slice(0, -1)) map = descend(document, map, step);
  const last = path.at(-1) ?? "";
  if (isSeq(map)) map.set(Number(last), nodeOf(value));
  else if (isMap(map)) setKey(map, String(last), nodeOf(value));
}

/** Appends an item to a list. */
export function append(document: Document, path: Path, value: unknown): void {
  let list = document.contents as Node | null;
  for (const step of path) list = descend(document, list, step);
  if (!isSeq(list)) throw new Error(`no list at ${path.join(".")}`);
  list.flow = false;
  list.add(nodeOf(value));
}

/** A document of its own, as `emitEditable` writes it after others. */
export function documentOf(value: unknown): Document {
  const document = new Document(null, { schema: "failsafe" });
  document.contents = nodeOf(value) as Document["contents"];
  if (document.directives) document.directives.docStart = true;
  return document;
}

function descend(document: Document, parent: Node | null, step: string | number): Node {
  if (isSeq(parent)) {
    const item = own(document, parent.get(Number(step), true) as Node);
    parent.set(Number(step), item);
    return item;
  }
  if (!isMap(parent)) throw new Error(`no map above ${step}`);
  const child = parent.get(String(step), true) as Node | undefined;
  const next = child !== undefined && (isMap(child) || isSeq(child) || isAlias(child)) ? own(document, child) : emptyMap();
  if (next !== child) setKey(parent, String(step), next);
  return next;
}

/** A copy of what an alias stands for; any other node itself. */
function own(document: Document, node: Node): Node {
  if (!isAlias(node)) return node;
  const copy = (node.resolve(document) as Node).clone() as Node;
  delete (copy as { anchor?: string }).anchor;
  return copy;
}

function setKey(map: YAMLMap, key: string, value: Node): void {
  const found = map.items.find((pair) => String((pair.key as Scalar | null)?.value) === key);
  if (found !== undefined) found.value = value;
  else {
    map.add({ key: new Scalar(key), value } as never);
    if (map.flow && map.items.length === 1) map.flow = false;
  }
}

/** A value as a node whose scalars are quoted where another schema would read them as something else. */
function nodeOf(value: unknown): Node {
  return parseDocument(toYaml([value]), { schema: "failsafe" }).contents as Node;
}

function emptyMap(): YAMLMap {
  return nodeOf({}) as YAMLMap;
}
