import type { Colors } from "picocolors/types.js";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { toGithub } from "../../diagnostics/github.ts";
import { toSarif } from "../../diagnostics/sarif.ts";
import { toJson, toText } from "../../diagnostics/text.ts";
import { manifestRules } from "../../lint/manifests.ts";
import { specRules } from "../../lint/specs.ts";
import { version } from "../../system/version.ts";

/** Output format of `validate`. */
export type DiagnosticFormat = "text" | "json" | "sarif" | "github";

/**
 * Formats findings for `validate`.
 *
 * @param fromHere converts the path of a file to a path relative to the working directory, which GitHub and SARIF
 * viewers need
 */
export function formatted(
  diagnostics: readonly Diagnostic[],
  format: DiagnosticFormat,
  colors: Colors,
  fromHere: (file: string) => string,
): string {
  const placed = diagnostics.map((diagnostic) => ({ ...diagnostic, file: fromHere(diagnostic.file) }));
  switch (format) {
    case "text":
      return diagnostics.length === 0 ? "" : `${toText(diagnostics, colors)}\n`;
    case "json":
      return toJson(diagnostics);
    case "sarif":
      return toSarif(placed, [...specRules, ...manifestRules], version);
    case "github":
      return toGithub(placed);
  }
}
