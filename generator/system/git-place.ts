import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/**
 * Returns the path of a folder inside its Git repository, with `/`, and `.` for the root of the repository. Returns null
 * if the folder is not in a Git repository. In a worktree and in a submodule, `.git` is a file. The folder need not
 * exist.
 */
export function placeInGit(folder: string): string | null {
  const real = realPath(folder);
  for (let parent = real; ; parent = dirname(parent)) {
    if (existsSync(join(parent, ".git"))) return relative(parent, real).replaceAll("\\", "/") || ".";
    if (dirname(parent) === parent) return null;
  }
}

function realPath(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : join(realPath(dirname(folder)), basename(folder));
}
