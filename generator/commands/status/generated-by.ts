import { inventoryFile, parseInventory } from "../../bundle/inventory.ts";
import { GitTree } from "../../diff/git-tree.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { UserError } from "../../system/errors.ts";

/** The commit that Flux has applied, and the version of meshops that generated the files in this commit. */
export interface GeneratedBy {
  readonly commit: string;
  /**
   * Version of meshops that last changed the generated files. Null if the Git repository on this machine does not
   * contain the commit. Also null if meshops 0.1 generated the files, because the inventories of meshops 0.1 do not
   * contain a version.
   */
  readonly version: string | null;
}

/**
 * Returns the commit that Flux has applied, and the version of meshops that generated the files in this commit. Reads
 * the version from the environment's inventory in the commit.
 *
 * @param root root folder of the platform repository
 * @param applied a Kustomization that applies files from this repository, or undefined if the cluster contains no such
 * Kustomization
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
