import { flux } from "../../bundle/emit/names.ts";
import { inventoryFile, parseInventory } from "../../bundle/inventory.ts";
import { GitTree } from "../../diff/git-tree.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { UserError } from "../../system/errors.ts";

/** The commit that Flux has applied, and the meshops that generated its bundle. */
export interface GeneratedBy {
  readonly commit: string;
  /**
   * Version of meshops that last changed the generated files. Null if the commit is not in this Git repository, or if
   * its inventory records no version, as before 0.2.
   */
  readonly version: string | null;
}

/**
 * Finds out which meshops generated the bundle that runs in the cluster, from the inventory in the applied commit.
 *
 * @param root the platform repository
 * @param kustomizations Kustomizations of Flux, with the root Kustomization
 * @returns null if Flux has applied no commit
 */
export async function generatedBy(
  root: string,
  environment: string,
  kustomizations: readonly KubernetesObject[],
): Promise<GeneratedBy | null> {
  const applied = kustomizations.find(({ metadata }) => metadata.name === flux.root);
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
