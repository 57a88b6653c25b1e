import type { DiagnosticCode } from "./diagnostic.ts";

/** Description of a rule, for the docs and for SARIF. */
export interface RuleInfo {
  /** Stable code, because users silence findings by it and search for it. */
  readonly code: DiagnosticCode;
  /**
   * `error`: the configuration cannot work, and the finding cannot be silenced. `warning`: the configuration works, but
   * probably not as intended.
   */
  readonly severity: "error" | "warning";
  /** Heading that describes what is wrong. */
  readonly title: string;
  /** The consequences of the problem, and the source of this fact. */
  readonly why: string;
  /** How to fix the problem. */
  readonly fix: string;
}
