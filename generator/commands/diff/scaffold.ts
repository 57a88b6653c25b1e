import { createTwoFilesPatch } from "diff";
import { trackedFiles } from "../init/tracked.ts";

/**
 * Returns the changes of this meshops version to bases, hooks and workflows, as a patch for `git apply`. The patch also
 * changes files that a user has edited.
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
