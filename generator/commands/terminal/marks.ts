import type { Colors } from "picocolors/types.js";

/**
 * Marks at the start of an output line. A mark has a color, but also consists of two characters, so that the output is
 * readable without color.
 */
const marks = {
  ok: { text: "ok", color: "green" },
  progress: { text: "..", color: "yellow" },
  waiting: { text: "--", color: "dim" },
  missing: { text: "--", color: "yellow" },
  suspended: { text: "||", color: "yellow" },
  failed: { text: "!!", color: "red" },
  absent: { text: "??", color: "red" },
  open: { text: "??", color: "yellow" },
} as const;

export type Mark = keyof typeof marks;

/** Returns the two characters of a mark, without color. */
export function markText(mark: Mark): string {
  return marks[mark].text;
}

/** Returns the two characters of a mark, in the color of the mark. */
export function paintMark(mark: Mark, colors: Colors): string {
  const { text, color } = marks[mark];
  return colors[color](text);
}
