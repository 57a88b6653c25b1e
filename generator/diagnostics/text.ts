import type { Colors } from "picocolors/types.js";
import { printable } from "../system/text.ts";
import { compareLocation, type Diagnostic } from "./diagnostic.ts";

/**
 * Returns diagnostics as a JSON array of `{file,line,column,code,severity,message,fix}`, sorted by location. `message`
 * includes the text of `expected`. A silenced finding also has the field `silenced`, which contains the user's reason.
 */
export function toJson(diagnostics: readonly Diagnostic[]): string {
  const rows = [...diagnostics].sort(compareLocation).map((diagnostic) => {
    const { file, line, column, code, severity, fix, silenced } = diagnostic;
    const row = { file, line, column, code, severity, message: messageWithExpected(diagnostic), fix };
    return silenced === undefined ? row : { ...row, silenced };
  });
  return `${JSON.stringify(rows, null, 2)}\n`;
}

/** Returns the message, followed by the text of `expected`. */
export function messageWithExpected({ message, expected }: Diagnostic): string {
  return expected === null ? message : `${message}; expected ${expected}`;
}

/** Returns diagnostics as text: location, message, source line with a caret, expected values, and fix. */
export function toText(diagnostics: readonly Diagnostic[], colors: Colors): string {
  return [...diagnostics]
    .sort(compareLocation)
    .map((diagnostic) => `${describe(diagnostic, colors)}\n`)
    .join("\n");
}

function describe(diagnostic: Diagnostic, colors: Colors): string {
  const { file, line, column, code, severity, message, expected, fix, excerpt, silenced } = diagnostic;
  if (silenced !== undefined)
    return [
      colors.dim(`${printable(`${file}:${line}:${column}`)} silenced ${code}`),
      colors.dim(`  ${printable(message)}`),
      `  reason: ${printable(silenced)}`,
    ].join("\n");
  const paint = severity === "error" ? colors.red : colors.yellow;
  const lines = [
    `${colors.bold(printable(`${file}:${line}:${column}`))} ${paint(severity)} ${colors.dim(code)}`,
    `  ${printable(message)}`,
  ];
  if (excerpt !== null) {
    const gutter = String(line);
    const { text, caret } = frame(excerpt.text, column, excerpt.length);
    lines.push(colors.dim(`  ${gutter} | `) + text, colors.dim(`  ${" ".repeat(gutter.length)} | `) + paint(caret));
  }
  if (expected !== null) lines.push(`  expected ${printable(expected)}`);
  if (fix !== null) lines.push(`  ${colors.cyan("fix:")} ${printable(fix)}`);
  return lines.join("\n");
}

const frameWidth = 96;

/**
 * Returns the part of a source line to print, and a second line with the caret. If the source line is long, the first
 * line of the result is only the part around the caret. Both lines contain the same tabs, so that the caret is below
 * the marked text.
 */
function frame(text: string, column: number, length: number): { text: string; caret: string } {
  const start = column - 1 < frameWidth - 16 ? 0 : column - 1 - 32;
  const shown = printable(text.slice(start, start + frameWidth));
  const offset = column - 1 - start;
  const before = shown.slice(0, offset).replace(/[^\t]/g, " ");
  return { text: shown, caret: before + "^".repeat(Math.max(1, Math.min(length, shown.length - offset))) };
}
