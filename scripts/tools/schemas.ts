import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Copies the strict JSON schemas of one Kubernetes version from the Python package kubernetes-validate. Removes the
 * `$id` of each schema, and changes the references between schemas to file names in the same folder. kubeconform can
 * then resolve all references without a network.
 *
 * @param kubernetes version as `major.minor`
 */
export function convertSchemas(packageFolder: string, target: string, kubernetes: string): void {
  const source = join(packageFolder, "kubernetes_validate", "kubernetes-json-schema", `v${kubernetes}.0-local-strict`);
  mkdirSync(target, { recursive: true });
  for (const file of readdirSync(source)) {
    const { $id: _, ...schema } = JSON.parse(readFileSync(join(source, file), "utf8")) as Record<string, unknown>;
    writeFileSync(join(target, file), JSON.stringify(schema).replaceAll("/api/_definitions.json#", "_definitions.json#"));
  }
}
