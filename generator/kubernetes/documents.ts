import { type Document, isScalar, parseAllDocuments, Scalar, type ScalarTag, Schema, visit } from "yaml";
import { hasFlushLists } from "../system/text.ts";

/**
 * A reading of a document: how a program interprets scalars without quotes, and whether it rejects duplicate keys.
 * Every reading has the same nodes.
 */
export interface Reading {
  readonly schema: Schema;
  readonly uniqueKeys: boolean;
}

/**
 * The reading of kubectl and Helm, which use sigs.k8s.io/yaml: YAML 1.1 without base 60, converted to JSON. `yes` and
 * `on` are booleans, `0755` and `1_000` are numbers, `12:30` and dates are strings. If a key occurs several times, the
 * last occurrence applies.
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

/** A reading without types: every scalar is a string with its text in the file. */
const asWritten: Reading = { schema: new Schema({ schema: "failsafe" }), uniqueKeys: false };

/**
 * Parses a YAML text. This is the only function that parses manifests. The values of manifests, the positions of
 * findings and the edited text therefore come from the same documents. The field `errors` of a document contains its
 * syntax errors.
 */
export function parseDocuments(text: string, reading: Reading): Document.Parsed[] {
  const documents = parsed(text, reading);
  if (!documents.some(({ errors }) => errors.some(({ code }) => code === "MISSING_CHAR"))) return documents;
  const again = parsed(unfolded(text), reading);
  return again.some(({ errors }) => errors.length > 0) ? documents : again;
}

function parsed(text: string, reading: Reading): Document.Parsed[] {
  // In templates that were not rendered, keys can be maps. The log level suppresses the warnings about such keys.
  const documents = parseAllDocuments(text, { ...reading, prettyErrors: false, logLevel: "error" }) as Document.Parsed[];
  // A directive applies to all documents of a text. Without `...` before it, a second directive is a syntax error.
  for (const { directives } of documents.slice(1)) directives.yaml.explicit = false;
  return documents;
}

/** Start of a quoted scalar that is the value of a key or an item of a list. */
const quotedStart = /^( *)(?:- +)*(?:[^\s'"#{[][^'"#]*: +|- +)(?=['"])/;

/**
 * Joins the lines of quoted scalars whose continuation lines are not indented. YAML forbids these continuation lines,
 * but kubectl reads them, and some tools write them into CRDs. Replaces each line break by a space, so that all offsets
 * stay the same.
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

/** Changes the values of a document's scalars to the values in another reading. */
export function readAs(document: Document, { schema }: Reading): void {
  document.schema = schema;
  visit(document, {
    Scalar: (_, scalar) => {
      scalar.value = valueIn(schema, scalar);
    },
  });
}

/**
 * Returns the value of a scalar. Chooses the same tag as the parser: the explicit tag of the scalar, or a tag that
 * depends on the form of its text.
 */
function valueIn({ tags }: Schema, { source, tag, type, value }: Scalar): unknown {
  // A node that was added after parsing has no source text.
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
 * @throws if an alias has no anchor or contains itself, or if aliases expand beyond the limit
 */
export function plainValue(document: Document, text: string): unknown {
  const value: unknown = document.toJS({ maxAliasCount: 1000 });
  if (text.includes("&")) JSON.stringify(value);
  return value;
}

/**
 * Returns the values of all documents in a text, read as YAML 1.2. @throws if a document has a syntax error
 */
export function valuesOf(text: string): unknown[] {
  return parseDocuments(text, asYaml12).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return plainValue(document, text);
  });
}

/**
 * Returns the text of edited documents. Keeps the text of scalars that were not edited, such as `1e3`, `yes` and
 * numbers beyond 2^53. Keeps comments and tags.
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
