import { existsSync } from "node:fs";
import { join } from "node:path";
import { basesFolder, environmentsFolder, fluxRootFolder, helmfileFile, overlaysFolder } from "../spec/layout.ts";
import { gitRootOf } from "../system/git-place.ts";
import { stateFolder } from "../system/state-folder.ts";
import { GitTree } from "./git-tree.ts";

/**
 * Returns the files of a platform repository in a commit. If the folder of the platform repository has another path in
 * the commit, returns the files of that folder, with paths relative to that folder.
 *
 * @param root folder of the platform repository
 * @param ref any name of a commit
 * @throws UserError (missing) if git is not installed, if the folder is not in a Git repository, or if the commit does
 *   not exist
 */
export async function openCommit(root: string, ref: string): Promise<GitTree> {
  const folders = [environmentsFolder, overlaysFolder, fluxRootFolder, helmfileFile, stateFolder, basesFolder];
  const tree = await GitTree.open(root, ref, folders);
  if ([...tree.paths()].some((path) => path.startsWith(`${environmentsFolder}/`))) return tree;
  const whole = await GitTree.open(root, ref, "all");
  const old = folderBeforeMove(gitRootOf(root) ?? root, whole);
  return old === null ? tree : whole.withPaths((path) => (path.startsWith(old) ? path.slice(old.length) : null));
}

/**
 * If the folder of a platform repository was moved since a commit, returns the path of this folder in the commit, with
 * a slash at the end. The path of the root of the Git repository is an empty text. Returns null if the commit contains
 * no moved folder of a platform repository, or several.
 *
 * @param top root of the Git repository
 */
function folderBeforeMove(top: string, commit: GitTree): string | null {
  const inventory = new RegExp(`^((?:.*/)?)${stateFolder.replace(".", "\\.")}/[^/]+\\.json$`);
  const folders = new Set([...commit.paths()].flatMap((path) => inventory.exec(path)?.[1] ?? []));
  const [moved, ...others] = [...folders].filter((folder) => !existsSync(join(top, folder, environmentsFolder)));
  return moved === undefined || others.length > 0 ? null : moved;
}
