/*
 * What is refused before anything looks at the meaning of a file. Real specs are far below these limits;
 * beyond them parsers and validators become slow or run out of stack.
 */

/** Largest spec that is read, in bytes. */
export const maxFileBytes: number = 1024 * 1024;
/** What is said of a larger one. */
export const tooLarge = {
  code: "file-too-large",
  message: "the file is larger than 1 MiB",
  hint: "an environment is a few kilobytes; split it with extends",
} as const;
/** Deepest nesting. The schema needs 7 levels. */
export const maxDepth = 64;
/** Most keys and values. The sample environments have about a hundred. */
export const maxNodes = 5000;
/** Most aliases that are resolved, counted as the `yaml` library does. */
export const maxAliases = 100;
/** Most findings that are told of one file. */
export const maxFindings = 50;

/** Offset at which brackets or dashes nest too deep, judged before the recursive parser runs; null where they do not. */
export function tooDeepAt(text: string): number | null {
  let brackets = 0;
  let dashes = 0;
  for (let offset = 0; offset < text.length; offset += 1) {
    const character = text[offset];
    if (character === "#" && (offset === 0 || /\s/.test(text[offset - 1] ?? ""))) {
      const end = text.indexOf("\n", offset);
      if (end === -1) return null;
      offset = end;
      dashes = 0;
    } else if (character === "[" || character === "{") brackets += 1;
    else if (character === "]" || character === "}") brackets = Math.max(0, brackets - 1);
    else if (character === "\n") dashes = 0;
    else if ((character === "-" || character === "?") && text[offset + 1] === " ") dashes += 1;
    if (brackets > maxDepth || dashes > maxDepth) return offset;
  }
  return null;
}
