import type { DiagnosticCode } from "./diagnostic.ts";

/** Description of a rule, for the docs and for SARIF. */
export interface RuleInfo {
  /** Stable, since users silence findings and search by it. */
  readonly code: DiagnosticCode;
  /** `error`: cannot work, and cannot be silenced. `warning`: works, but probably not as intended. */
  readonly severity: "error" | "warning";
  /** What is wrong, as a heading. */
  readonly title: string;
  /** The consequences, and the source of this fact. */
  readonly why: string;
  /** How to fix it. */
  readonly fix: string;
}
