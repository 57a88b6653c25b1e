import { compareLocation, type Diagnostic } from "./diagnostic.ts";
import type { RuleInfo } from "./rule-info.ts";
import { messageWithExpected } from "./text.ts";

/**
 * Formats diagnostics as a SARIF log (OASIS, version 2.1.0) for code scanning services. Paths are relative to the
 * folder in which meshops was run. A silenced finding becomes a suppressed result, with the user's reason as the
 * justification.
 *
 * @param rules descriptions of codes. The description of any other code is the code itself
 */
export function toSarif(diagnostics: readonly Diagnostic[], rules: readonly RuleInfo[], version: string): string {
  const sorted = [...diagnostics].sort(compareLocation);
  const codes = [...new Set(sorted.map(({ code }) => code))].sort();
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "meshops",
            version,
            rules: codes.map((code) => descriptor(code, rules.find((rule) => rule.code === code) ?? null)),
          },
        },
        columnKind: "utf16CodeUnits",
        results: sorted.map((diagnostic) => result(diagnostic, codes.indexOf(diagnostic.code))),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function descriptor(id: string, rule: RuleInfo | null): object {
  if (rule === null) return { id, shortDescription: { text: id.replaceAll("-", " ") } };
  return {
    id,
    shortDescription: { text: rule.title },
    fullDescription: { text: rule.why },
    help: { text: `${rule.why}\n\n${rule.fix}`, markdown: `${rule.why}\n\n**How to fix.** ${rule.fix}` },
    defaultConfiguration: { level: rule.severity },
  };
}

function result(diagnostic: Diagnostic, ruleIndex: number): object {
  const { file, line, column, code, severity, fix, excerpt, silenced } = diagnostic;
  const text = fix === null ? messageWithExpected(diagnostic) : `${messageWithExpected(diagnostic)}. Fix: ${fix}`;
  const region = { startLine: line, startColumn: column, ...(excerpt === null ? {} : { endColumn: column + excerpt.length }) };
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text },
    locations: [
      { physicalLocation: { artifactLocation: { uri: encodeURI(file).replace(/[#?]/g, encodeURIComponent) }, region } },
    ],
    ...(silenced === undefined ? {} : { suppressions: [{ kind: "inSource", justification: silenced }] }),
  };
}
