import { join } from "node:path";
import { providers } from "../components/registry.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { judgement } from "../lint/specs.ts";
import { overlayFolder } from "../spec/layout.ts";
import type { Loaded } from "../spec/load.ts";
import { readIfThere } from "../system/files.ts";

/**
 * Returns findings about the changes from the generated files on disk to the spec. Returns no findings if the generated
 * files are up to date.
 */
export function changeFindings(root: string, { environment, locate }: Loaded): Diagnostic[] {
  if (environment === null || locate === null) return [];
  const folder = overlayFolder(environment.metadata.name);
  const generated = (path: string): string | null => readIfThere(join(root, folder, path));
  return providers
    .flatMap(({ transitionRules = [] }) => transitionRules)
    .flatMap((rule) => [...rule.check(environment, generated)].map((finding) => locate(judgement(rule, finding, environment))));
}
