import type { DiagnosticCode } from "./diagnostic.ts";

/** Description of a rule, for the docs and for SARIF. */
export interface RuleInfo {
  /** Stable: people silence and search by it. */
  readonly code: DiagnosticCode;
  /** `error`: cannot work, and cannot be silenced. `warning`: works, but not as people would want it. */
  readonly severity: "error" | "warning";
  /** What is wrong, as a heading. */
  readonly title: string;
  /** What happens then, and where that is written. */
  readonly why: string;
  /** How to fix it. */
  readonly fix: string;
}
