import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Model } from "../components/model.ts";
import { atStart, type Diagnostic } from "../diagnostics/diagnostic.ts";
import { basesFolder } from "../spec/layout.ts";

/**
 * Returns an error if the repository lacks a base that the generated files of an environment include. Kustomize and Flux
 * cannot build an overlay without its base.
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
    atStart(first, {
      code: "bases-missing",
      message: `the folder ${first}${more} does not exist, but the generated files include it`,
      fix: "run meshops init . --keep, which writes the missing files and keeps the existing files",
    }),
  ];
}
