import { createTwoFilesPatch } from "diff";
import { trackedFiles } from "../init/tracked.ts";

/**
 * Changes that this version would make to bases, hooks and workflows, as a patch that `git apply` takes. It has the
 * files that a user edited, too.
 *
 * @param root absolute, symbolic links resolved
 */
export function scaffoldPatch(root: string): string {
  return trackedFiles(root)
    .filter(({ state, templateChanged }) => state === "outdated" || (state === "edited" && templateChanged))
    .map(({ path, standing, text }) => createTwoFilesPatch(`a/${path}`, `b/${path}`, standing, text, undefined, undefined))
    .map((patch) => patch.replace(/^=+\n/, ""))
    .join("");
}
