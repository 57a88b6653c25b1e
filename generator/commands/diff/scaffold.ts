import { createTwoFilesPatch } from "diff";
import { trackedFiles } from "../init/tracked.ts";

/**
 * Returns a patch for `git apply`. The patch updates the bases, hooks and workflows in the repository to this version
 * of meshops. If a user has edited a file, the patch includes this file only if its template has changed.
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
