import { join } from "node:path";
import { inventoryFile } from "../bundle/inventory.ts";
import type { Wanted } from "../bundle/wanted-bundles.ts";
import type { Step } from "../components/change-rule.ts";
import { encryptedFiles } from "../identity/read-identity.ts";
import { environmentsFolder, fluxFolder, fluxRootFolder, overlaysFolder } from "../spec/layout.ts";
import { readIfExists } from "../system/files.ts";
import { ownFluxFiles, type Renamed } from "./after-rename.ts";
import type { AssessedChange } from "./diff.ts";
import type { GitTree } from "./git-tree.ts";

/**
 * Returns the environments that were renamed since a commit. The function recognizes a renamed environment by its first
 * encrypted file. The commit contains the same file in the folder of an environment that no longer has a spec.
 *
 * @param removed environments in the commit that no longer have a spec
 */
export function renamedSince(root: string, tree: GitTree, wanted: readonly Wanted[], removed: readonly string[]): Renamed[] {
  if (removed.length === 0) return [];
  return wanted.flatMap(([to]) => {
    const [encrypted] = encryptedFiles(root, to);
    const text = encrypted === undefined ? null : readIfExists(join(root, encrypted));
    if (encrypted === undefined || text === null || tree.holds(encrypted, text)) return [];
    const from = removed.find((name) => tree.holds(moved(encrypted, { from: to, to: name }), text));
    return from === undefined ? [] : [{ from, to }];
  });
}

/**
 * Returns a view of the commit in which the paths of a renamed environment's files contain the new name of the
 * environment. The view does not contain the inventory of the environment, because the text of the inventory contains
 * the old paths.
 */
export function asRenamed(tree: GitTree, rename: Renamed): GitTree {
  return tree.withPaths((path) => (path === inventoryFile(rename.from) ? null : moved(path, rename)));
}

function moved(path: string, { from, to }: Renamed): string {
  const [top = "", name, ...rest] = path.split("/");
  const owned = [overlaysFolder, fluxRootFolder, environmentsFolder].includes(top) && name === from;
  return owned ? [top, to, ...rest].join("/") : path;
}

/**
 * Returns the change of an environment's name as a change of an object, with the steps for the user. The risk is
 * `stalled-rollout`, because the root Kustomization in the cluster still applies the old folder.
 */
export function renameChange(root: string, { from, to }: Renamed, steps: readonly Step[]): AssessedChange {
  const old = fluxFolder(from);
  const left = ownFluxFiles(root, from);
  const effect =
    left.length > 0
      ? `the folder ${old}. This folder now contains only ${left.join(", ")}. If you push before you move ${left.length === 1 ? "this file" : "these files"}, Flux deletes the components of the environment`
      : `the folder ${old}. This folder no longer exists. Until the root Kustomization applies ${fluxFolder(to)}, Flux reports an error and applies nothing`;
  return {
    environment: to,
    kind: "Environment",
    namespace: "",
    name: to,
    change: "changed",
    risk: "stalled-rollout",
    reason: `The environment ${from} was renamed to ${to}. Flux's root Kustomization still applies ${effect}`,
    steps,
    fields: [{ path: "metadata.name", before: from, after: to }],
  };
}
