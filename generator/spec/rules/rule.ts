import type { DiagnosticCode } from "../diagnostic.ts";
import type { Environment } from "../environment.generated.ts";
import type { Path, Statement } from "../source.ts";

/** What a rule finds, and the values that it is about: it is told at the first of them that some file writes. */
export interface RuleFinding {
  readonly paths: readonly Path[];
  readonly statement: Statement;
}

/** A rule that a schema cannot say: it looks at a resolved environment and reports what is wrong with it. */
export type Rule = (environment: Environment) => Iterable<RuleFinding>;

export function error(
  code: DiagnosticCode,
  paths: readonly Path[],
  message: string,
  hint: string,
  expected: string | null = null,
): RuleFinding {
  return { paths, statement: { code, severity: "error", message, expected, hint } };
}

export function warning(code: DiagnosticCode, paths: readonly Path[], message: string, hint: string): RuleFinding {
  return { paths, statement: { code, severity: "warning", message, expected: null, hint } };
}

/** The path of a value below `spec`. */
export function spec(...steps: Path): Path {
  return ["spec", ...steps];
}
