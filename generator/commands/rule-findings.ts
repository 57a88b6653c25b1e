import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { RuleInfo } from "../diagnostics/rule-info.ts";
import { judgement } from "../lint/specs.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Loaded } from "../spec/load.ts";
import type { RuleFinding } from "../spec/rule.ts";

/**
 * Returns the findings of a check that needs data in addition to the spec. Each finding contains the location of its
 * cause in the spec. Returns no findings if the spec has errors.
 */
export function ruleFindings(
  { environment, locate }: Loaded,
  rule: RuleInfo,
  check: (environment: Environment) => Iterable<RuleFinding>,
): Diagnostic[] {
  if (environment === null || locate === null) return [];
  return [...check(environment)].map((finding) => locate(judgement(rule, finding, environment)));
}
