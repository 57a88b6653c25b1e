import { join } from "node:path";
import { inventoryFile } from "../../bundle/inventory.ts";
import type { Step } from "../../components/change-rule.ts";
import type { ObjectChange } from "../../diff/diff.ts";
import type { GitTree } from "../../diff/git-tree.ts";
import { encryptedFiles } from "../../identity/read.ts";
import { environmentsFolder, fluxFolder, fluxRootFolder, overlaysFolder } from "../../spec/layout.ts";
import { readIfThere } from "../../system/files.ts";
import { ownFluxFiles, type Renamed } from "../after-rename.ts";
import type { Wanted } from "../render-environments.ts";

/**
 * Returns the environments that were renamed since a commit. An environment was renamed if an old environment was
 * removed, and an encrypted file of the new environment is equal to the file of the old environment.
 *
 * @param removed environments of the commit that no longer have a spec
 */
export function renamedSince(root: string, tree: GitTree, wanted: readonly Wanted[], removed: readonly string[]): Renamed[] {
  if (removed.length === 0) return [];
  return wanted.flatMap(([to]) => {
    const [encrypted] = encryptedFiles(root, to);
    const text = encrypted === undefined ? null : readIfThere(join(root, encrypted));
    if (encrypted === undefined || text === null || tree.holds(encrypted, text)) return [];
    const from = removed.find((name) => tree.holds(moved(encrypted, { from: to, to: name }), text));
    return from === undefined ? [] : [{ from, to }];
  });
}

/**
 * Returns the commit with the files of the old environment at the paths of the new environment. The inventory is
 * omitted, because its text contains the old paths.
 */
export function asRenamed(tree: GitTree, rename: Renamed): GitTree {
  return tree.withPaths((path) => (path === inventoryFile(rename.from) ? null : moved(path, rename)));
}

function moved(path: string, { from, to }: Renamed): string {
  const [top = "", name, ...rest] = path.split("/");
  const owned = [overlaysFolder, fluxRootFolder, environmentsFolder].includes(top) && name === from;
  return owned ? [top, to, ...rest].join("/") : path;
}

/** Returns the change of the environment's name itself. Flux's root Kustomization is not in the generated files. */
export function renameChange(root: string, { from, to }: Renamed, steps: readonly Step[]): ObjectChange {
  const old = fluxFolder(from);
  const left = ownFluxFiles(root, from);
  const effect =
    left.length > 0
      ? `${old}, in which only ${left.join(", ")} ${left.length === 1 ? "is" : "are"} left. If you push before you move ${left.length === 1 ? "this file" : "these files"}, Flux deletes the components of the environment`
      : `${old}, which no longer exists. Until the root applies ${fluxFolder(to)}, Flux reports an error and applies nothing`;
  return {
    environment: to,
    kind: "Environment",
    namespace: "",
    name: to,
    change: "changed",
    risk: "stalled-rollout",
    reason: `${from} is now named ${to}. Flux's root Kustomization still applies ${effect}. The names of all objects in the cluster stay the same`,
    steps,
    fields: [{ path: "metadata.name", before: from, after: to }],
  };
}
