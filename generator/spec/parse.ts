import { type Document, parseAllDocuments } from "yaml";
import type { Diagnostic, DiagnosticCode } from "../diagnostics/diagnostic.ts";
import { depthLimitOffset, maxAliases, maxDepth, maxFileBytes, tooLarge } from "../diagnostics/limits.ts";
import { capped, diagnosticAt, type Source, type Span } from "../diagnostics/source.ts";
import { lowerFirst } from "../system/text.ts";
import { syntaxError } from "./syntax-errors.ts";
import { inspect } from "./yaml-checks.ts";

const top: Span = { offset: 0, length: 1 };

/**
 * Parses one YAML document with anchors, aliases and merge keys. Never throws. Returns diagnostics for syntax errors,
 * tags of unknown types, keys that are not strings, duplicate keys, invalid aliases, several documents, and files that
 * exceed the limits in limits.ts.
 */
export function parseSource(file: string, text: string): Source {
  const failed = (...found: Diagnostic[]): Source => ({ file, text, value: undefined, document: null, diagnostics: found });
  const at = (code: DiagnosticCode, message: string, fix: string | null, span: Span = top): Diagnostic =>
    diagnosticAt(file, text, span, { code, severity: "error", message, expected: null, fix });
  if (Buffer.byteLength(text) > maxFileBytes) return failed(at(tooLarge.code, tooLarge.message, tooLarge.fix));
  const deep = depthLimitOffset(text);
  if (deep !== null)
    return failed(at("yaml-too-deep", `the file is nested deeper than ${maxDepth} levels`, null, { offset: deep, length: 1 }));
  try {
    const [document, second] = parse(text);
    if (document === undefined)
      return failed(at("yaml-syntax", "the file is empty", "begin the file with apiVersion, kind and metadata"));
    if (second !== undefined)
      return failed(
        at("yaml-multi-document", "the file contains more than one YAML document", "split the file into one file per document", {
          offset: second.range[0],
          length: 3,
        }),
      );
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.some(({ message }) => message.includes("call stack"))) throw new RangeError();
    if (wrong[0] !== undefined) {
      const { message, fix, span } = syntaxError(text, wrong[0]);
      return failed(at("yaml-syntax", message, fix, span));
    }
    const problems = inspect(document);
    if (problems.length > 0)
      return failed(
        ...capped(problems, ({ code, message, fix, node: { range } }) =>
          at(code, message, fix, range ? { offset: range[0], length: range[1] - range[0] } : top),
        ),
      );
    return { file, text, value: document.toJS({ maxAliasCount: maxAliases }), document, diagnostics: [] };
  } catch (error) {
    const message = lowerFirst(error instanceof Error ? error.message : String(error));
    if (error instanceof ReferenceError) return failed(at("yaml-alias", message, "replace the aliases with their values"));
    if (error instanceof RangeError) return failed(at("yaml-too-deep", "the file is nested too deeply to be parsed", null));
    return failed(at("yaml-syntax", message, null));
  }
}

function parse(text: string): Document.Parsed[] {
  return parseAllDocuments(text, {
    merge: true,
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    version: "1.2",
  }) as Document.Parsed[];
}
