import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../components/model.ts";
import { type Diagnostic, fileDiagnostic } from "../diagnostics/diagnostic.ts";
import { basesFolder } from "../spec/layout.ts";

/**
 * Returns an error if the generated files of an environment include a base, but the repository does not contain this
 * base. Kustomize and Flux cannot build an overlay without its base.
 */
export function missingBases(root: string, models: readonly Model[]): Diagnostic[] {
  const bases = models.flatMap(({ components }) =>
    components.flatMap(({ delivery }) => ("base" in delivery && delivery.base !== null ? [delivery.base] : [])),
  );
  const folders = [...new Set(bases)].map((base) => `${basesFolder}/${base}`);
  const missing = folders.filter((folder) => !existsSync(join(root, folder)));
  const [first, ...others] = missing;
  if (first === undefined) return [];
  const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
  return [
    fileDiagnostic(first, {
      code: "bases-missing",
      message: `the folder ${first}${more} does not exist, but the generated files refer to it`,
      fix: "run meshops init . --keep to write the missing files; existing files are kept",
    }),
  ];
}
