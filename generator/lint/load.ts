import { type Diagnostic, distinct, hasErrors } from "../diagnostics/diagnostic.ts";
import type { ReadSource } from "../spec/inherit.ts";
import { type Loaded, resolveEnvironment } from "../spec/load.ts";
import { checkRules, checkTogether } from "./specs.ts";

/**
 * Loads and validates one environment: resolves its file and the files that it extends, and checks the rules between
 * its fields. All findings are reported at once.
 */
export function loadEnvironment(name: string, read: ReadSource): Loaded {
  const { resolved, ...loaded } = resolveEnvironment(name, read);
  if (resolved === null || loaded.locate === null) return loaded;
  const diagnostics = distinct([...loaded.diagnostics, ...checkRules(resolved).map(loaded.locate)]);
  return { ...loaded, environment: hasErrors(diagnostics) ? null : resolved, diagnostics };
}

/** Findings about several environments, each located in the file that causes it. */
export function findCollisions(loaded: readonly Loaded[]): Diagnostic[] {
  const locates = new Map(loaded.map(({ environment, locate }) => [environment, locate]));
  const environments = loaded.flatMap(({ environment }) => (environment === null ? [] : [environment]));
  return checkTogether(environments).flatMap(([environment, judgement]) => locates.get(environment)?.(judgement) ?? []);
}
