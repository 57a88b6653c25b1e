import type { Colors } from "picocolors/types.js";

/** Marks in front of a line: letters, so that output reads the same without color. */
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

/** Two letters for a state, without color. */
export function markText(mark: Mark): string {
  return marks[mark].text;
}

/** Two letters for a state, in its color. */
export function paintMark(mark: Mark, colors: Colors): string {
  const { text, color } = marks[mark];
  return colors[color](text);
}
