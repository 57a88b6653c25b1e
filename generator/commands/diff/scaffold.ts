import { createTwoFilesPatch } from "diff";
import { trackedFiles } from "../init/tracked.ts";

/**
 * Returns a patch for `git apply`. The patch updates the bases, hooks and workflows in the repository to this version
 * of meshops. The patch includes a file that a user has edited only if the template of this file has changed.
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
