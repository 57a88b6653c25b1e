import { Lexer, type YAMLError } from "yaml";
import type { Span } from "../diagnostics/source.ts";
import { lowerFirst } from "../system/text.ts";

/**
 * Tokens that mark the structure of a document. These tokens are not part of the text of a scalar (yaml,
 * CST.tokenType).
 */
const structure = ["\u0002", "\u0018", "\u001f"];

/** A syntax error of a YAML file. */
export interface SyntaxFinding {
  readonly message: string;
  readonly fix: string | null;
  readonly span: Span;
}

/**
 * Returns the finding for the first error of a YAML parser. Further errors are usually consequences of the first error.
 */
export function syntaxError(text: string, first: YAMLError): SyntaxFinding {
  const conflict = /^(?:<{7}|>{7}) .*$/m.exec(text);
  if (conflict !== null)
    return {
      message: "the file contains an unresolved merge conflict",
      fix: "keep one side of the conflict, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>",
      span: { offset: conflict.index, length: conflict[0].length },
    };
  const {
    code,
    message,
    pos: [from, to],
  } = first;
  const span = { offset: from, length: to - from };
  const [, quote] = /^Missing closing (["'])/.exec(message) ?? [];
  if (quote !== undefined)
    return {
      message: `the opening quote ${quote} has no closing quote`,
      fix: `add ${quote} at the end of the value`,
      span: { offset: openingQuote(text) ?? from, length: 1 },
    };
  const [, bracket] = /end with a ([\]}])$/.exec(message) ?? [];
  if (bracket !== undefined)
    return {
      message: `a closing ${bracket} is missing before this line`,
      fix: `add the missing ${bracket} above this line`,
      span,
    };
  if (code === "TAB_AS_INDENT") return { message: lowerFirst(message), fix: "replace the tab with spaces", span };
  if (message === "All mapping items must start at the same column")
    return {
      message: "this line has a different indentation than the other keys of its map",
      fix: "indent this line with as many spaces as the other keys of its map",
      span,
    };
  return { message: lowerFirst(message), fix: null, span };
}

/** Returns the offset of the quote that begins the last token of a text; null if the last token is not quoted. */
function openingQuote(text: string): number | null {
  let offset = 0;
  let opening: number | null = null;
  for (const token of new Lexer().lex(text)) {
    if (structure.includes(token)) continue;
    if (token.trim() !== "") opening = /^["']/.test(token) ? offset : null;
    offset += token.length;
  }
  return opening;
}
