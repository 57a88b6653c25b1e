import { type Document, isScalar, parseAllDocuments, Scalar, type ScalarTag, Schema, visit } from "yaml";
import { hasFlushLists } from "../system/text.ts";

/**
 * How a program reads a YAML document: how the program interprets scalars without quotes, and whether it rejects
 * duplicate keys. The nodes of a parsed document are the same in every reading. Only the values of the scalars differ.
 */
export interface Reading {
  readonly schema: Schema;
  readonly uniqueKeys: boolean;
}

/**
 * The reading of kubectl and Helm, which use sigs.k8s.io/yaml. This is YAML 1.1 without base-60 numbers, limited to the
 * types of JSON. `yes` and `on` are booleans, `0755` and `1_000` are numbers, `12:30` and dates are strings. If a key
 * occurs several times, the last occurrence applies.
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

/** The reading of YAML 1.2 with merge keys, for output of kustomize and meshops. `yes` and `on` are strings. */
export const asYaml12: Reading = { schema: new Schema({ schema: "core", merge: true }), uniqueKeys: true };

/** A reading without types: the value of every scalar is a string, exactly as in the file. */
const asWritten: Reading = { schema: new Schema({ schema: "failsafe" }), uniqueKeys: false };

/**
 * Parses a YAML text. Only this function parses manifests. Therefore, the values, the positions of findings, and the
 * edits of a manifest come from the same parsed documents. The field `errors` of a document contains the syntax errors.
 */
export function parseDocuments(text: string, reading: Reading): Document.Parsed[] {
  const documents = parsed(text, reading);
  if (!documents.some(({ errors }) => errors.some(({ code }) => code === "MISSING_CHAR"))) return documents;
  const again = parsed(unfolded(text), reading);
  return again.some(({ errors }) => errors.length > 0) ? documents : again;
}

function parsed(text: string, reading: Reading): Document.Parsed[] {
  // In Helm templates that were not rendered, keys can be maps. The log level suppresses the parser's warnings about
  // such keys.
  const documents = parseAllDocuments(text, { ...reading, prettyErrors: false, logLevel: "error" }) as Document.Parsed[];
  // A directive such as `%YAML 1.1` applies to all documents of a text, so the parser copies the directive to the
  // following documents. Do not write these copies, because a directive without `...` before it is a syntax error.
  for (const { directives } of documents.slice(1)) directives.yaml.explicit = false;
  return documents;
}

/** Start of a quoted scalar that is the value of a key or an item of a list. */
const quotedStart = /^( *)(?:- +)*(?:[^\s'"#{[][^'"#]*: +|- +)(?=['"])/;

/**
 * Joins the lines of quoted scalars whose continuation lines are not indented. YAML forbids these continuation lines,
 * but kubectl reads them, and some tools write them into CRDs. The function replaces each line break by one space, so
 * that all offsets stay the same.
 */
function unfolded(text: string): string {
  const lines = text.split("\n");
  const result: string[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    let line = lines[index] ?? "";
    const start = quotedStart.exec(line)?.[0].length;
    if (start !== undefined) {
      const quote = line[start] ?? "";
      while (!isClosed(line.slice(start + 1), quote) && index + 1 < lines.length) {
        index += 1;
        line += ` ${lines[index] ?? ""}`;
      }
    }
    result.push(line);
  }
  return result.join("\n");
}

/** Whether the rest of a quoted scalar contains its closing quote. */
function isClosed(rest: string, quote: string): boolean {
  const plain = quote === "'" ? rest.replaceAll("''", "") : rest.replaceAll(/\\./g, "");
  return plain.includes(quote);
}

/**
 * Interprets the text of each scalar in a document with the given reading, and changes the value of the scalar to the
 * result.
 */
export function readAs(document: Document, { schema }: Reading): void {
  document.schema = schema;
  visit(document, {
    Scalar: (_, scalar) => {
      scalar.value = valueIn(schema, scalar);
    },
  });
}

/**
 * Returns the value of a scalar in a schema. Chooses the same tag as the parser: the explicit tag of the scalar if the
 * scalar has one, otherwise the first tag of the schema whose pattern matches the text of the scalar.
 */
function valueIn({ tags }: Schema, { source, tag, type, value }: Scalar): unknown {
  // A node that an edit added after the parsing has no source text.
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
 * Returns a document's value as plain data.
 *
 * @throws if an alias refers to a missing anchor or contains itself, or if aliases expand beyond `maxAliasCount`
 */
export function plainValue(document: Document, text: string): unknown {
  const value: unknown = document.toJS({ maxAliasCount: 1000 });
  if (text.includes("&")) JSON.stringify(value);
  return value;
}

/**
 * Returns the values of all documents in a text, read as YAML 1.2.
 *
 * @throws if a document has a syntax error
 */
export function valuesOf(text: string): unknown[] {
  return parseDocuments(text, asYaml12).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return plainValue(document, text);
  });
}

/**
 * Returns the text of edited documents. Scalars that were not edited keep their text, for example `1e3`, `yes` and
 * numbers beyond 2^53. Comments and tags also stay the same.
 *
 * @param original the text that was parsed; its indentation is kept if possible
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
