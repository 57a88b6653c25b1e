import type { DiagnosticCode } from "./diagnostic.ts";
import type { Environment } from "./environment.generated.ts";
import { clusterRules } from "./rules/cluster.ts";
import { dgraphRules } from "./rules/dgraph.ts";
import { linkerdRules } from "./rules/linkerd.ts";
import type { Rule, RuleFinding } from "./rules/rule.ts";
import { secretsRules } from "./rules/secrets.ts";

const rules: readonly Rule[] = [...secretsRules, ...linkerdRules, ...clusterRules, ...dgraphRules];

/** Checks the rules between fields. Warnings that `spec.rules.ignore` names are left out. */
export function checkRules(environment: Environment): RuleFinding[] {
  const ignored = new Set<DiagnosticCode>(environment.spec.rules.ignore.map(({ code }) => code));
  return rules
    .flatMap((rule) => [...rule(environment)])
    .filter(({ statement: { severity, code } }) => severity === "error" || !ignored.has(code));
}
