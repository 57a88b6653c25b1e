import { type Diagnostic, distinct, hasErrors } from "../diagnostics/diagnostic.ts";
import type { ReadSource } from "../spec/inherit.ts";
import { type Loaded, resolveEnvironment } from "../spec/load.ts";
import { checkRules, checkTogether } from "./specs.ts";

/**
 * Loads and validates one environment. Merges the spec file with the spec files that it extends, and checks the result
 * against the rules for specs. Returns all findings, not only the first one.
 *
 * @param known names of existing environments. If the spec extends an environment that does not exist, the finding
 *   suggests a similar name from this list
 */
export function loadEnvironment(name: string, read: ReadSource, known: readonly string[] = []): Loaded {
  const { resolved, ...loaded } = resolveEnvironment(name, read, known);
  if (resolved === null || loaded.locate === null) return loaded;
  const diagnostics = distinct([...loaded.diagnostics, ...checkRules(resolved).map(loaded.locate)]);
  return { ...loaded, environment: hasErrors(diagnostics) ? null : resolved, diagnostics };
}

/**
 * Returns findings about conflicts between two environments. If meshops has generated files for exactly one of the two
 * environments, the finding is in the spec file of the other environment. Otherwise, the finding is in the spec file of
 * the environment that comes later in `loaded`.
 *
 * @param isGenerated whether meshops already generated files for an environment. An environment with generated files
 *   may be running.
 */
export function findCollisions(loaded: readonly Loaded[], isGenerated: (name: string) => boolean): Diagnostic[] {
  const locates = new Map(loaded.map(({ environment, locate }) => [environment, locate]));
  const valid = loaded.flatMap(({ environment }) => (environment === null ? [] : [environment]));
  const rank = ({ metadata }: (typeof valid)[number]): number => (isGenerated(metadata.name) ? 0 : 1);
  const environments = [...valid].sort((a, b) => rank(a) - rank(b));
  return checkTogether(environments).flatMap(([environment, finding]) => locates.get(environment)?.(finding) ?? []);
}
