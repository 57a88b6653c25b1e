import { createTwoFilesPatch } from "diff";
import { trackedFiles } from "../init/tracked.ts";

/**
 * Returns a patch for `git apply` with the changes that this version of meshops makes to bases, hooks and workflows.
 * The patch also contains changes to files that a user has edited.
 *
 * @param root absolute path of the repository, without symbolic links
 */
export function scaffoldPatch(root: string): string {
  return trackedFiles(root)
    .filter(({ state, templateChanged }) => state === "outdated" || (state === "edited" && templateChanged))
    .map(({ path, standing, text }) => createTwoFilesPatch(`a/${path}`, `b/${path}`, standing, text, undefined, undefined))
    .map((patch) => patch.replace(/^=+\n/, ""))
    .join("");
}
