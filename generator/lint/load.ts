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
 * Findings about conflicts between environments. Each finding has its position in the spec file that causes it: of two
 * environments, the one that was never generated, or the later one.
 *
 * @param isGenerated whether files of an environment were generated before, so that the environment may be running
 */
export function findCollisions(loaded: readonly Loaded[], isGenerated: (name: string) => boolean): Diagnostic[] {
  const locates = new Map(loaded.map(({ environment, locate }) => [environment, locate]));
  const valid = loaded.flatMap(({ environment }) => (environment === null ? [] : [environment]));
  const rank = ({ metadata }: (typeof valid)[number]): number => (isGenerated(metadata.name) ? 0 : 1);
  const environments = [...valid].sort((a, b) => rank(a) - rank(b));
  return checkTogether(environments).flatMap(([environment, judgement]) => locates.get(environment)?.(judgement) ?? []);
}
