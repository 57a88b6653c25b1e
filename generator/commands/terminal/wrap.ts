/** Maximum width of the output, in columns. */
export const columns = 80;

/**
 * Wraps a text into lines. Each line starts with the indent.
 *
 * @param width maximum width of a line in columns, including the indent
 * @param hanging additional indent of all lines after the first line
 */
export function wrap(text: string, indent: string, width: number = columns, hanging: string = "  "): string[] {
  const out: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      out.push(line);
      line = `${indent}${hanging}`;
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  return [...out, line];
}
