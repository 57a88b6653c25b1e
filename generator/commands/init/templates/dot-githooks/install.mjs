// Enables the pre-commit hook if the platform repository is the root of a Git repository without hooks. Otherwise
// prints how to enable the hook, because core.hooksPath would disable existing hooks, for example the hooks of Git LFS.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

function git(...args) {
  try {
    return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}

// Path of the platform repository in its Git repository, such as "platform/mesh/". Empty if the platform repository is
// the root of the Git repository. Null outside a Git repository.
const folder = git("rev-parse", "--show-prefix");
const own = `${folder}.githooks`;
const set = git("config", "core.hooksPath");
const standard = git("rev-parse", "--git-path", "hooks");
const others = standard !== null && existsSync(standard) && readdirSync(standard).some((name) => !name.endsWith(".sample"));
if (folder === "" && set === null && !others) git("config", "core.hooksPath", own);
else if (folder !== null && set !== own)
  console.log(
    set === null && !others
      ? `To enable the pre-commit hook of this folder: git config core.hooksPath ${own}`
      : `To use the pre-commit hook of this folder, add this line to the pre-commit hook of the Git repository: sh ${own}/pre-commit`,
  );
