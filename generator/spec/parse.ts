import { type Document, parseAllDocuments } from "yaml";
import type { Diagnostic, DiagnosticCode } from "./diagnostic.ts";
import { inspect, maxAliases, maxDepth, maxFileBytes, maxFindings, maxNodes, tooDeepAt } from "./limits.ts";
import { diagnosticAt, type Source, type Span } from "./source.ts";

const top: Span = { offset: 0, length: 1 };

/**
 * Parses one YAML document with anchors, aliases and merge keys.
 * Refuses, as diagnostics and never by throwing: syntax errors, keys that are no strings or come twice,
 * more than one document, and whatever passes the limits of limits.ts.
 */
export function parseSource(file: string, text: string): Source {
  const failed = (...diagnostics: Diagnostic[]): Source => ({ file, text, value: undefined, document: null, diagnostics });
  const at = (code: DiagnosticCode, message: string, hint: string | null, span: Span = top): Diagnostic =>
    diagnosticAt(file, text, span, { code, severity: "error", message, expected: null, hint });
  const smaller = "an environment is a few kilobytes; split it with extends";
  if (Buffer.byteLength(text) > maxFileBytes) return failed(at("file-too-large", "the file is larger than 1 MiB", smaller));
  const deep = tooDeepAt(text);
  if (deep !== null)
    return failed(at("yaml-too-deep", `nested deeper than ${maxDepth} levels`, null, { offset: deep, length: 1 }));
  try {
    const [document, second] = parse(text);
    if (document === undefined) return failed(at("yaml-syntax", "the file is empty", "start from environments/base.yaml"));
    if (second !== undefined)
      return failed(
        at("yaml-multi-document", "the file holds more than one YAML document", "one environment a file", {
          offset: second.range[0],
          length: 3,
        }),
      );
    if (document.errors.length > 0)
      return failed(
        ...document.errors
          .slice(0, maxFindings)
          .map(({ message, pos: [from, to] }) =>
            at("yaml-syntax", lowerFirst(message), null, { offset: from, length: to - from }),
          ),
      );
    const { nodes, duplicateKeys } = inspect(document);
    if (nodes > maxNodes) return failed(at("file-too-large", `the file holds more than ${maxNodes} keys and values`, smaller));
    if (duplicateKeys.length > 0)
      return failed(
        ...duplicateKeys.slice(0, maxFindings).map(({ range }) =>
          at("yaml-duplicate-key", "the same key stands twice in one map", "keep one of the two", {
            offset: range?.[0] ?? 0,
            length: (range?.[1] ?? 1) - (range?.[0] ?? 0),
          }),
        ),
      );
    return { file, text, value: document.toJS({ maxAliasCount: maxAliases }), document, diagnostics: [] };
  } catch (error) {
    const message = lowerFirst(error instanceof Error ? error.message : String(error));
    if (error instanceof ReferenceError) return failed(at("yaml-alias", message, "write the values out"));
    if (error instanceof RangeError) return failed(at("yaml-too-deep", "nested too deeply to be read", null));
    return failed(at("yaml-syntax", message, null));
  }
}

/** Keys are compared by `inspect`: the library compares each with every other one. */
function parse(text: string): Document.Parsed[] {
  return parseAllDocuments(text, {
    merge: true,
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    version: "1.2",
  }) as Document.Parsed[];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1).replace(/\.$/, "");
}
