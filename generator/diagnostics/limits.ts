import { CST, Lexer } from "yaml";

/*
 * Limits that meshops checks before it validates the content of a file. Above these limits, parsers and validators
 * become slow, or fail with a stack overflow. Real specs are far below these limits.
 */

/** Maximum size of a spec or configuration file, in bytes. */
export const maxFileBytes: number = 1024 * 1024;
/** Finding about a file that is larger than `maxFileBytes`. */
export const tooLarge = {
  code: "file-too-large",
  message: "the file is larger than 1 MiB",
  fix: "shorten the file; in a spec, move the settings that several environments share to a base spec, and set spec.extends to the name of the base spec",
} as const;
/** Maximum nesting depth. The schema needs 7 levels. */
export const maxDepth = 64;
/** Maximum number of keys and values in a file. A sample environment has about a hundred keys and values. */
export const maxNodes = 5000;
/** Maximum number of resolved aliases. meshops counts aliases in the same way as the `yaml` library. */
export const maxAliases = 100;
/** Maximum number of findings that are reported per file. */
export const maxFindings = 50;

/**
 * Returns the offset at which brackets or dashes are nested deeper than `maxDepth`. Returns null if the text is not
 * nested too deeply. Runs only the lexer, because the parser is recursive and could run out of stack. Does not count
 * brackets in scalars and comments.
 */
export function depthLimitOffset(text: string): number | null {
  if (isShallow(text)) return null;
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
    // Tokens of these three types only mark a position. They have no text in the file.
    if (type !== "scalar" && type !== "doc-mode" && type !== "flow-error-end") offset += token.length;
  }
  return null;
}

/**
 * Whether the characters of a text already show that the text is not nested too deeply. This check is much faster than
 * the lexer. It counts all opening brackets of a document, and all dashes and question marks of a line, also in scalars
 * and comments.
 */
function isShallow(text: string): boolean {
  let [brackets, dashes] = [0, 0];
  for (let index = 0; index < text.length; index += 1) {
    switch (text[index]) {
      case "\n":
        dashes = 0;
        if (text.startsWith("---", index + 1) && isBlank(text[index + 4])) brackets = 0;
        break;
      case "[":
      case "{":
        brackets += 1;
        break;
      case "-":
      case "?":
        if (isBlank(text[index + 1])) dashes += 1;
        break;
    }
    if (brackets > maxDepth || dashes > maxDepth) return false;
  }
  return true;
}

/** Whether a character is white space, or the end of the text. */
function isBlank(character: string | undefined): boolean {
  return character === undefined || /\s/.test(character);
}
