import type { DiagnosticCode } from "../diagnostic.ts";
import type { Environment } from "../environment.generated.ts";
import type { Path } from "../source.ts";

/** What a rule says of itself: in the docs, in SARIF, and to who silences it. */
export interface RuleInfo {
  /** Stable: people silence and search by it. */
  readonly code: DiagnosticCode;
  /** `error`: cannot work, and cannot be silenced. `warning`: works, but not as people would want it. */
  readonly severity: "error" | "warning";
  /** What is wrong, as a heading. */
  readonly title: string;
  /** What happens then, and where that is written. */
  readonly why: string;
  /** How to mend it. */
  readonly mend: string;
}

/** What a rule finds, and the values that it is about: it is told at the first of them that some file writes. */
export interface RuleFinding {
  readonly paths: readonly Path[];
  readonly message: string;
  readonly hint: string;
  readonly expected?: string;
}

/** A rule that a schema cannot say: it looks at a resolved environment and reports what is wrong with it. */
export interface Rule extends RuleInfo {
  readonly check: (environment: Environment) => Iterable<RuleFinding>;
}

/** The path of a value below `spec`. */
export function spec(...steps: Path): Path {
  return ["spec", ...steps];
}
