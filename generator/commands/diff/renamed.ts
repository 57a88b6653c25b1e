import { join } from "node:path";
import { inventoryFile } from "../../bundle/inventory.ts";
import type { ObjectChange } from "../../diff/diff.ts";
import type { GitTree } from "../../diff/git-tree.ts";
import { encryptedFiles } from "../../identity/read.ts";
import { environmentsFolder, fluxFolder, fluxRootFolder, overlaysFolder } from "../../spec/layout.ts";
import { readIfThere } from "../../system/files.ts";
import type { Wanted } from "../render-environments.ts";

/** An environment with another name than in the commit. */
export interface Renamed {
  readonly from: string;
  readonly to: string;
}

/**
 * Returns the environments that were renamed since a commit. An environment was renamed if the old environment no
 * longer exists, and the new environment has the same encrypted file.
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

/**
 * Returns the change of the environment's name itself. The name affects Flux's root Kustomization, which is not in the
 * generated files.
 */
export function renameChange({ from, to }: Renamed): ObjectChange {
  return {
    environment: to,
    kind: "Environment",
    namespace: "",
    name: to,
    change: "changed",
    risk: "stalled-rollout",
    reason: `${from} is now named ${to}. Flux's root Kustomization still applies ./${fluxFolder(from)}, which no longer exists. Until the root applies ./${fluxFolder(to)}, Flux reports an error and applies nothing. The names of all objects in the cluster stay the same`,
    steps: [
      {
        text: `If the repository contains ${fluxFolder(from)}/flux-system (flux bootstrap git), move this folder to ${fluxFolder(to)}, and change spec.path in gotk-sync.yaml.`,
      },
      { text: "Commit and push." },
      { text: "Change the path of the root Kustomization.", command: `MESHOPS_TAKE_OVER=yes meshops bootstrap ${to} --run` },
      { text: "Wait until Flux has applied the new folder.", command: `meshops status ${to} --watch` },
    ],
    fields: [{ path: "metadata.name", before: from, after: to }],
  };
}
