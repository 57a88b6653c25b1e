import { CST, Lexer } from "yaml";

/*
 * What is refused before anything looks at the meaning of a file. Real specs are far below these limits;
 * beyond them parsers and validators become slow or run out of stack.
 */

/** Largest spec or configuration that is read, in bytes. */
export const maxFileBytes: number = 1024 * 1024;
/** What is said of a larger one. */
export const tooLarge = {
  code: "file-too-large",
  message: "the file is larger than 1 MiB",
  fix: "such a file is a few kilobytes; environments share a base by extends",
} as const;
/** Deepest nesting. The schema needs 7 levels. */
export const maxDepth = 64;
/** Most keys and values. The sample environments have about a hundred. */
export const maxNodes = 5000;
/** Most aliases that are resolved, counted as the `yaml` library does. */
export const maxAliases = 100;
/** Most findings that are told of one file. */
export const maxFindings = 50;

/**
 * Offset at which brackets or dashes nest too deep, judged by the tokens before the recursive parser runs; null where they do not.
 * What looks like brackets inside of scalars and comments does not count.
 */
export function tooDeepAt(text: string): number | null {
  if ((text.match(/[[{]|[-?]\s/g)?.length ?? 0) <= maxDepth) return null;
  let [offset, brackets, dashes] = [0, 0, 0];
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    const type: CST.TokenType | null = scalar ? null : CST.tokenType(token);
    scalar = type === "scalar";
    if (type === "doc-mode" || type === "doc-start" || type === "doc-end" || type === "flow-error-end") brackets = 0;
    else if (type === "newline") dashes = 0;
    else if (type === "flow-seq-start" || type === "flow-map-start") brackets += 1;
    else if (type === "flow-seq-end" || type === "flow-map-end") brackets = Math.max(0, brackets - 1);
    else if (type === "seq-item-ind" || type === "explicit-key-ind") dashes += 1;
    if (brackets > maxDepth || dashes > maxDepth) return offset;
    // What marks the beginning of something is no part of the text.
    if (type !== "scalar" && type !== "doc-mode" && type !== "flow-error-end") offset += token.length;
  }
  return null;
}
