import { inventoryFile, parseInventory } from "../../bundle/inventory.ts";
import { GitTree } from "../../diff/git-tree.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { UserError } from "../../system/errors.ts";

/** The commit that Flux has applied, and the meshops version that generated its files. */
export interface GeneratedBy {
  readonly commit: string;
  /**
   * Version of meshops that last changed the generated files. Null if this Git repository does not contain the commit.
   * Also null if the commit was made with meshops before 0.2, because the inventory then contains no version.
   */
  readonly version: string | null;
}

/**
 * Returns the applied commit and the meshops version that generated its files. Reads the version from the inventory in
 * the applied commit.
 *
 * @param root root folder of the platform repository
 * @param applied a Kustomization in the cluster that reads the repository; undefined if there is none
 * @returns null if Flux has not applied a commit yet
 */
export async function generatedBy(
  root: string,
  environment: string,
  applied: KubernetesObject | undefined,
): Promise<GeneratedBy | null> {
  const [, commit] = /@sha(?:1|256):([0-9a-f]+)$/.exec(String(at(applied, "status", "lastAppliedRevision"))) ?? [];
  if (commit === undefined) return null;
  const file = inventoryFile(environment);
  try {
    const tree = await GitTree.open(root, commit, [file]);
    const text = (await tree.read([file])).get(file);
    return { commit, version: text === undefined ? null : parseInventory(text, environment).version };
  } catch (error) {
    if (error instanceof UserError) return { commit, version: null };
    throw error;
  }
}
