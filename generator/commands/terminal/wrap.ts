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

/**
 * Wraps a shell command before its options. Each line except the last ends with a backslash, so that a user can copy the
 * command.
 */
export function wrapCommand(command: string, indent: string, width: number = columns): string[] {
  const out: string[] = [];
  let line = indent;
  for (const part of command.split(/ (?=--)/)) {
    if (line !== indent && line.length + part.length + 3 > width) {
      out.push(`${line} \\`);
      line = `${indent}  `;
    }
    line += line.trim() === "" ? part : ` ${part}`;
  }
  return [...out, line];
}
