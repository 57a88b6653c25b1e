import { type Document, isScalar, parseAllDocuments, Scalar, type ScalarTag, Schema, visit } from "yaml";
import { hasFlushLists } from "../system/text.ts";

/** How a program reads plain scalars, and whether duplicate keys are errors. Every reading gives the same nodes. */
export interface Reading {
  readonly schema: Schema;
  readonly uniqueKeys: boolean;
}

/**
 * Reading of kubectl and Helm: sigs.k8s.io/yaml, which is YAML 1.1 without base 60, converted to JSON. `yes` and `on`
 * are booleans, `0755` and `1_000` are numbers, `12:30` and dates are strings. The last of several duplicate keys
 * applies.
 */
export const asKubectl: Reading = {
  schema: new Schema({
    schema: "yaml-1.1",
    merge: true,
    customTags: (tags) => tags.filter((tag) => typeof tag === "string" || !isLeftOut(tag)),
  }),
  uniqueKeys: false,
};

function isLeftOut({ tag, format }: { readonly tag: string; readonly format?: string }): boolean {
  return format === "TIME" || /:(timestamp|binary|omap|pairs|set)$/.test(tag);
}

/** Reading of YAML 1.2 with merge keys, for output of kustomize and of meshops: `yes` and `on` are strings. */
export const asYaml12: Reading = { schema: new Schema({ schema: "core", merge: true }), uniqueKeys: true };

/** Reading without types: every scalar is a string, as written. */
const asWritten: Reading = { schema: new Schema({ schema: "failsafe" }), uniqueKeys: false };

/**
 * Parses a YAML text. Manifests are parsed only here: their values, the positions of findings and the edited text are
 * derived from these documents. Syntax errors are in each document's `errors`.
 */
export function parseDocuments(text: string, reading: Reading): Document.Parsed[] {
  // Unrendered templates have maps as keys. The log level suppresses the parser's warnings about them.
  const documents = parseAllDocuments(text, { ...reading, prettyErrors: false, logLevel: "error" }) as Document.Parsed[];
  // A directive applies to all documents of a text. Without `...` before it, a second one is a syntax error.
  for (const { directives } of documents.slice(1)) directives.yaml.explicit = false;
  return documents;
}

/** Sets the values of a document's scalars to those of another reading, as if it had been parsed with that reading. */
export function readAs(document: Document, { schema }: Reading): void {
  document.schema = schema;
  visit(document, {
    Scalar: (_, scalar) => {
      scalar.value = valueIn(schema, scalar);
    },
  });
}

/** Chooses the tag as the parser does: an explicit tag by its name, the tag of a plain scalar by its form. */
function valueIn({ tags }: Schema, { source, tag, type, value }: Scalar): unknown {
  // A node that was added after parsing has no source.
  if (source === undefined) return value;
  if (tag === undefined && type !== Scalar.PLAIN) return source;
  const isMeant = (each: (typeof tags)[number]): each is ScalarTag =>
    each.collection === undefined &&
    each.default === true &&
    (tag === undefined || each.tag === tag) &&
    each.test?.test(source) === true;
  const read = tags.find(isMeant)?.resolve(source, () => undefined, {}) ?? source;
  return isScalar(read) ? read.value : read;
}

/**
 * Returns a document's value.
 *
 * @throws if an alias has no anchor or contains itself, or if aliases expand beyond the limit
 */
export function plainValue(document: Document, text: string): unknown {
  const value: unknown = document.toJS({ maxAliasCount: 1000 });
  if (text.includes("&")) JSON.stringify(value);
  return value;
}

/** Returns the values of a text's documents, read as YAML 1.2. @throws if one of them cannot be read */
export function valuesOf(text: string): unknown[] {
  return parseDocuments(text, asYaml12).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return plainValue(document, text);
  });
}

/**
 * Returns the text of edited documents. Scalars that are not edited keep their form: `1e3`, `yes` and numbers beyond
 * 2^53 stay as written. Comments and tags are kept.
 *
 * @param original the text that was parsed; its layout is kept if possible
 */
export function emitDocuments(documents: readonly Document[], original: string): string {
  for (const document of documents) readAs(document, asWritten);
  const style = {
    lineWidth: 0,
    indentSeq: !hasFlushLists(original),
    flowCollectionPadding: !/[:-] [[{][^\s\]}]/.test(original),
  };
  return documents.map((document) => document.toString(style)).join("");
}
