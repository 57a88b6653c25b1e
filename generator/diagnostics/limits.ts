import { CST, Lexer } from "yaml";

/*
 * Limits that are checked before the content of a file is validated. Above these limits, parsers and validators become
 * slow or run out of stack. Real specs are far below these limits.
 */

/** Maximum size of a spec or configuration file, in bytes. */
export const maxFileBytes: number = 1024 * 1024;
/** Finding about a file that is larger than `maxFileBytes`. */
export const tooLarge = {
  code: "file-too-large",
  message: "the file is larger than 1 MiB",
  fix: "shorten the file; settings that environments share can be moved to a base, to which spec.extends refers",
} as const;
/** Maximum nesting depth. The schema needs 7 levels. */
export const maxDepth = 64;
/** Maximum number of keys and values in a file. A sample environment has about a hundred keys and values. */
export const maxNodes = 5000;
/** Maximum number of resolved aliases. They are counted in the same way as in the `yaml` library. */
export const maxAliases = 100;
/** Maximum number of findings that are reported per file. */
export const maxFindings = 50;

/**
 * Returns the offset at which brackets or dashes are nested too deeply. Returns null if they are not. Reads only the
 * tokens, before the recursive parser runs. Brackets in scalars and comments are not counted.
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
    // Tokens without text, which only mark a position in the file.
    if (type !== "scalar" && type !== "doc-mode" && type !== "flow-error-end") offset += token.length;
  }
  return null;
}
