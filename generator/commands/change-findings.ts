import { join } from "node:path";
import { providers } from "../components/registry.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { overlayFolder } from "../spec/layout.ts";
import type { Loaded } from "../spec/load.ts";
import { readIfThere } from "../system/files.ts";
import { ruleFindings } from "./rule-findings.ts";

/**
 * Returns findings about the changes that `generate` would make to the generated files on disk. Returns no findings if
 * the generated files are up to date.
 */
export function changeFindings(root: string, loaded: Loaded): Diagnostic[] {
  return providers
    .flatMap(({ transitionRules = [] }) => transitionRules)
    .flatMap((rule) => ruleFindings(loaded, rule, (environment) => rule.check(environment, generatedFiles(root, environment))));
}

/** Returns a function that reads generated files of an environment. Paths are relative to the environment's overlay. */
function generatedFiles(root: string, { metadata }: Environment): (path: string) => string | null {
  const folder = overlayFolder(metadata.name);
  return (path) => readIfThere(join(root, folder, path));
}
