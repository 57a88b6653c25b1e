import { type CheckResult, failed, passed, skipped, undecided } from "../../components/check-result.ts";
import { runProgram } from "../../system/process.ts";

/** Output of `linkerd check -o json` (linkerd2, pkg/healthcheck/healthcheck_output.go). */
interface Output {
  readonly success: boolean;
  readonly categories?: readonly {
    readonly categoryName: string;
    readonly checks?: readonly {
      readonly description: string;
      readonly hint?: string;
      readonly error?: string;
      readonly result: string;
    }[];
  }[];
}

/**
 * Runs M8: `linkerd check`, including the checks of Linkerd's extensions. M8 is skipped if linkerd is not on the PATH.
 */
export async function linkerdChecks(context: string, signal: AbortSignal): Promise<CheckResult> {
  const text = await run(["check", "--output", "json", "--wait", "10s", "--context", context], signal);
  if (text === null) return skipped("the program linkerd is not on the PATH");
  const outputs = documentsIn(text);
  if (outputs === null) return undecided("linkerd check printed no JSON", text.slice(0, 200) || "the output is empty");
  const checks = outputs.flatMap(({ categories }) => categories ?? []).flatMap(({ checks }) => checks ?? []);
  const bad = checks.filter(({ result }) => result === "error");
  const warnings = checks.filter(({ result }) => result === "warning");
  const evidence = [...bad, ...warnings].map(({ description, error = "", hint = "" }) =>
    `${description}: ${error} ${hint}`.trim(),
  );
  if (bad.length > 0 || outputs.some(({ success }) => !success))
    return failed(`${bad.length} of ${checks.length} checks fail`, evidence[0] ?? "", evidence);
  return passed(`${checks.length} checks${warnings.length === 0 ? "" : `, ${warnings.length} warnings`}`, evidence);
}

/**
 * Parses the JSON documents in the output of `linkerd check`. The first document contains the checks of Linkerd. Each
 * other document contains the checks of one extension. Returns null if the output contains no document or an invalid
 * document.
 */
function documentsIn(text: string): Output[] | null {
  const documents = text.split(/(?<=^})\s*$(?=\s*^{)/m).filter((part) => part.trim() !== "");
  try {
    return documents.length === 0 ? null : documents.map((document) => JSON.parse(document) as Output);
  } catch {
    return null;
  }
}

/** Returns the output of linkerd, regardless of its exit code. Returns null if linkerd is not on the PATH. */
async function run(args: readonly string[], signal: AbortSignal): Promise<string | null> {
  const { absent, stdout } = await runProgram("linkerd", args, { signal, timeoutMs: 60_000 });
  return absent ? null : stdout;
}
