import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/**
 * Returns the root of the Git repository that contains a folder. Returns null if the folder is not in a Git repository.
 * The folder need not exist. The root can contain `.git` as a file, because `.git` is a file in worktrees and
 * submodules.
 */
export function gitRootOf(folder: string): string | null {
  for (let parent = realPath(folder); ; parent = dirname(parent)) {
    if (existsSync(join(parent, ".git"))) return parent;
    if (dirname(parent) === parent) return null;
  }
}

/**
 * Returns the path of a folder inside its Git repository, with forward slashes. Returns `.` for the root of the
 * repository. Returns null if the folder is not in a Git repository.
 */
export function placeInGit(folder: string): string | null {
  const root = gitRootOf(folder);
  return root === null ? null : relative(root, realPath(folder)).replaceAll("\\", "/") || ".";
}

function realPath(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : join(realPath(dirname(folder)), basename(folder));
}
