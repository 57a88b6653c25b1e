/** Columns of a terminal that output keeps to. */
const width = 80;

/** A text in lines of 80 columns, each with an indent; continuation lines are indented by two more. */
export function wrap(text: string, indent: string): string[] {
  const out: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length > indent.length && line.length + 1 + word.length > width) {
      out.push(line);
      line = `${indent}  `;
    }
    line += line.trim() === "" ? word : ` ${word}`;
  }
  return [...out, line];
}
