import { providers } from "../components/registry.ts";
import type { RuleInfo } from "../diagnostics/rule-info.ts";
import type { Statement } from "../diagnostics/source.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { FileRule, LocatedFinding, Rule, RuleFinding } from "../spec/rule.ts";
import { azureNameRules } from "./specs/azure-names.ts";
import { chartOverrideRules } from "./specs/chart-overrides.ts";
import { clusterRules } from "./specs/cluster.ts";
import { type CrossEnvironmentRule, jointRules } from "./specs/cross-environment.ts";
import { declaredNamespaceRules } from "./specs/declared-namespaces.ts";
import { folderRules } from "./specs/folders.ts";
import { gitopsFileRules, gitopsRules } from "./specs/gitops.ts";
import { namespaceRules } from "./specs/namespaces.ts";
import { overrideRules } from "./specs/overrides.ts";
import { proxySettingRule } from "./specs/proxy-settings.ts";
import { releaseRules } from "./specs/releases.ts";
import { secretsRules } from "./specs/secrets.ts";
import { workloadMethodRules } from "./specs/workload-methods.ts";

/** All rules about a single environment: the rules in `specs/`, and the rules of each component. */
const rules: readonly Rule[] = [
  ...secretsRules,
  ...clusterRules,
  ...azureNameRules,
  ...gitopsRules,
  ...namespaceRules,
  proxySettingRule,
  ...releaseRules,
  ...declaredNamespaceRules,
  ...overrideRules,
  ...chartOverrideRules,
  ...providers.flatMap((provider) => provider.rules ?? []),
];

/** All rules that also read files of the repository. */
export const fileRules: readonly FileRule[] = [
  ...gitopsFileRules,
  ...folderRules,
  ...workloadMethodRules,
  ...providers.flatMap((provider) => provider.fileRules ?? []),
];

/** Descriptions of all rules about specs. */
export const specRules: readonly RuleInfo[] = [...rules, ...jointRules, ...fileRules];

/** Checks one environment against the rules about a single environment. */
export function checkRules(environment: Environment): LocatedFinding[] {
  return rules.flatMap((rule) => [...rule.check(environment)].map((finding) => locatedFinding(rule, finding, environment)));
}

/**
 * Checks environments against the rules about conflicts between environments. If two environments conflict, the finding
 * is about the environment that comes later in the list.
 */
export function checkTogether(environments: readonly Environment[]): [Environment, LocatedFinding][] {
  return jointRules.flatMap((rule) => collisions(rule, environments));
}

function collisions(rule: CrossEnvironmentRule, environments: readonly Environment[]): [Environment, LocatedFinding][] {
  const firsts = new Map<string, Environment>();
  return environments.flatMap((environment) =>
    rule.keys(environment).flatMap((key) => {
      const first = firsts.get(key);
      if (first === undefined) firsts.set(key, environment);
      const found = first === undefined ? [] : [...rule.check(environment, first, key)];
      return found.map((finding): [Environment, LocatedFinding] => [environment, locatedFinding(rule, finding, environment)]);
    }),
  );
}

/**
 * Returns a finding with the code and the severity of the rule that reported the finding. If the finding is a warning,
 * and `spec.rules.ignore` contains the code of the rule, the finding is silenced: the result contains the reason from
 * the spec. Errors cannot be silenced.
 */
export function locatedFinding(
  { code, severity }: Pick<RuleInfo, "code" | "severity">,
  { paths, part = "value", message, fix, expected }: RuleFinding,
  { spec }: Environment,
): LocatedFinding {
  const reason = severity === "warning" ? spec.rules.ignore.find((entry) => entry.code === code)?.reason : undefined;
  const statement: Statement = { code, severity, message, expected: expected ?? null, fix };
  return { paths, part, statement: reason === undefined ? statement : { ...statement, silenced: reason } };
}
