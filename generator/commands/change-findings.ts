import { join } from "node:path";
import { providers } from "../components/registry.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { overlayFolder } from "../spec/layout.ts";
import type { Loaded } from "../spec/load.ts";
import { readIfExists } from "../system/files.ts";
import { ruleFindings } from "./rule-findings.ts";

/** Returns the findings of the rules that compare a spec with the files that were last generated from this spec. */
export function changeFindings(root: string, loaded: Loaded): Diagnostic[] {
  return providers
    .flatMap(({ transitionRules = [] }) => transitionRules)
    .flatMap((rule) => ruleFindings(loaded, rule, (environment) => rule.check(environment, generatedFiles(root, environment))));
}

/**
 * Returns a function that returns the text of a generated file of an environment, or null if the file does not exist.
 * The path of the file is relative to the environment's overlay.
 */
function generatedFiles(root: string, { metadata }: Environment): (path: string) => string | null {
  const folder = overlayFolder(metadata.name);
  return (path) => readIfExists(join(root, folder, path));
}
