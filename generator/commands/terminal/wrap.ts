/** Maximum width of the output, in columns. */
export const columns = 80;

/**
 * Wraps a text into lines. Each line starts with the indent.
 *
 * @param width maximum width of a line in columns, including the indent
 * @param hanging additional indent of all lines after the first line
 */
export function wrap(text: string, indent: string, width: number = columns, hanging: string = "  "): string[] {
  return fold(text.split(" "), indent, width, hanging);
}

/**
 * Wraps a shell command before its options. Each line except the last ends with a backslash, so that a user can copy
 * the command.
 */
export function wrapCommand(command: string, indent: string, width: number = columns): string[] {
  const lines = fold(command.split(/ (?=--)/), indent, width - continued.length, "  ");
  return lines.map((line, index) => (index === lines.length - 1 ? line : `${line}${continued}`));
}

/** End of a line of a shell command that continues on the next line. */
const continued = " \\";

/** Joins parts of a text to lines of at most `width` columns. Does not split a part that is longer than a line. */
function fold(parts: readonly string[], indent: string, width: number, hanging: string): string[] {
  const out: string[] = [];
  let line = indent;
  for (const part of parts) {
    if (line.length > indent.length && line.length + 1 + part.length > width) {
      out.push(line);
      line = `${indent}${hanging}`;
    }
    line += line.trim() === "" ? part : ` ${part}`;
  }
  return [...out, line];
}
