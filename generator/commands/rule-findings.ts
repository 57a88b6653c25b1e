import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { RuleInfo } from "../diagnostics/rule-info.ts";
import { locatedFinding } from "../lint/specs.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Loaded } from "../spec/load.ts";
import type { RuleFinding } from "../spec/rule.ts";

/**
 * Returns the findings of a rule that reads other data in addition to the spec. `check` returns a path in the spec for
 * each finding, and this function converts the path to a position in the spec file. Returns no findings if no
 * environment could be loaded from the spec.
 */
export function ruleFindings(
  { environment, locate }: Loaded,
  rule: Pick<RuleInfo, "code" | "severity">,
  check: (environment: Environment) => Iterable<RuleFinding>,
): Diagnostic[] {
  if (environment === null || locate === null) return [];
  return [...check(environment)].map((finding) => locate(locatedFinding(rule, finding, environment)));
}
