import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exitCode, UserError } from "../../system/errors.ts";
import { runProgram } from "../../system/process.ts";
import { programFolder } from "../../system/program-folder.ts";
import { withTemporaryFolder } from "../../system/temporary-folder.ts";

let packed: Promise<Buffer> | null = null;

/**
 * Returns the running version of meshops as an npm package (.tgz). `init` writes this package to the new repository. In
 * the repository, `npm install` therefore does not need a registry that contains meshops, and all clones of the
 * repository use the same version.
 *
 * @throws UserError (missing) if npm is not installed
 */
export function ownPackage(): Promise<Buffer> {
  packed ??= pack();
  return packed;
}

async function pack(): Promise<Buffer> {
  return withTemporaryFolder("meshops-package", async (folder) => {
    const root = fileURLToPath(new URL("..", programFolder));
    const args = ["pack", root, "--ignore-scripts", "--json", "--pack-destination", folder];
    const { code, stdout, stderr } = await runProgram("npm", args, { shell: process.platform === "win32" });
    if (code !== 0) {
      const reason = stderr.trim() || "npm was not found";
      throw new UserError(exitCode.missing, `npm cannot pack meshops: ${reason}`, "install npm, and run init again");
    }
    const [file] = JSON.parse(stdout) as [{ readonly filename: string }];
    return readFileSync(join(folder, file.filename));
  });
}
