import { compareLocation, type Diagnostic } from "./diagnostic.ts";
import { messageWithExpected } from "./text.ts";

/**
 * Formats diagnostics as workflow commands, one per line. GitHub Actions shows the commands as annotations on the
 * changed lines (escapes: actions/toolkit, packages/core, command.ts). Silenced findings become notices.
 */
export function toGithub(diagnostics: readonly Diagnostic[]): string {
  return [...diagnostics].sort(compareLocation).map(annotation).join("");
}

function annotation(diagnostic: Diagnostic): string {
  const { file, line, column, code, severity, fix, excerpt, silenced } = diagnostic;
  const place = excerpt === null ? {} : { endColumn: column + excerpt.length };
  const properties = { title: `meshops ${code}`, file, line, col: column, ...place };
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(String(value))}`);
  const end = silenced !== undefined ? `\nsilenced: ${silenced}` : fix === null ? "" : `\nfix: ${fix}`;
  return `::${silenced === undefined ? severity : "notice"} ${list.join(",")}::${escapeData(messageWithExpected(diagnostic) + end)}\n`;
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
