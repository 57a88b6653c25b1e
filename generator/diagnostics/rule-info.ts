import type { DiagnosticCode } from "./diagnostic.ts";

/** Description of a rule, for the docs and for SARIF. */
export interface RuleInfo {
  /** Code of the rule. The code never changes, because users silence findings and search for help by code. */
  readonly code: DiagnosticCode;
  /**
   * `error`: the configuration cannot work, and the finding cannot be silenced. `warning`: the configuration works, but
   * probably not as intended.
   */
  readonly severity: "error" | "warning";
  /** Heading that describes the mistake. */
  readonly title: string;
  /** Consequences of the mistake, with the source of the facts. */
  readonly why: string;
  /** Instructions to fix the mistake. */
  readonly fix: string;
}
