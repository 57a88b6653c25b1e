/** Columns of a terminal that output keeps to. */
export const columns = 80;

/**
 * A text in lines, each with an indent.
 *
 * @param width columns of a line, indent included
 * @param hanging further indent of the lines after the first
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
