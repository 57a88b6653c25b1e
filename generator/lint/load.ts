import { type Diagnostic, distinct, hasErrors } from "../diagnostics/diagnostic.ts";
import type { ReadSource } from "../spec/inherit.ts";
import { type Loaded, resolveEnvironment } from "../spec/load.ts";
import { checkRules, checkTogether } from "./specs.ts";

/**
 * Loads and validates one environment: resolves its spec file and the spec files that this file extends, and checks the
 * result against the rules for specs. Reports all findings, not only the first one.
 */
export function loadEnvironment(name: string, read: ReadSource): Loaded {
  const { resolved, ...loaded } = resolveEnvironment(name, read);
  if (resolved === null || loaded.locate === null) return loaded;
  const diagnostics = distinct([...loaded.diagnostics, ...checkRules(resolved).map(loaded.locate)]);
  return { ...loaded, environment: hasErrors(diagnostics) ? null : resolved, diagnostics };
}

/**
 * Returns findings about conflicts between environments. If only one of two environments was never generated, the
 * finding is in the spec file of this environment. Otherwise, it is in the spec file of the later environment.
 *
 * @param isGenerated whether files of an environment were already generated. Such an environment may be running.
 */
export function findCollisions(loaded: readonly Loaded[], isGenerated: (name: string) => boolean): Diagnostic[] {
  const locates = new Map(loaded.map(({ environment, locate }) => [environment, locate]));
  const valid = loaded.flatMap(({ environment }) => (environment === null ? [] : [environment]));
  const rank = ({ metadata }: (typeof valid)[number]): number => (isGenerated(metadata.name) ? 0 : 1);
  const environments = [...valid].sort((a, b) => rank(a) - rank(b));
  return checkTogether(environments).flatMap(([environment, judgement]) => locates.get(environment)?.(judgement) ?? []);
}
