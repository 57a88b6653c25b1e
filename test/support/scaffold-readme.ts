import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { scratchFolder } from "./platform.ts";
import { projectRoot, run } from "./tools.ts";

/** URL of the platform repository in tests. With the variables of `readmeEnv`, Git uses a local folder instead. */
export const remoteUrl = "https://example.org/acme/platform.git";

/** Runs `npm pack` in this checkout. Returns the path of the package. @param folder folder for the package */
export async function packMeshops(folder: string): Promise<string> {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [file] = JSON.parse(await run("npm", args, { cwd: projectRoot })) as [{ filename: string }];
  return join(folder, file.filename);
}

/** Returns the lines of each code block with the language `sh` in a Markdown text. */
export function shellBlocks(markdown: string): string[][] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => (text ?? "").trim().split("\n"));
}

/**
 * Returns environment variables for the commands in a README. With these variables, Git uses a bare repository instead
 * of `remoteUrl`, and sops reads the age keys from a file. This function also creates the bare repository. The bare
 * repository and the file are in the parent folder of the platform repository.
 *
 * @param root folder of the platform repository
 */
export async function readmeEnv(root: string): Promise<Record<string, string>> {
  const remote = join(root, "../remote.git");
  mkdirSync(join(root, ".."), { recursive: true });
  await run("git", ["init", "-q", "--bare", "-b", "main", remote]);
  return {
    NO_COLOR: "1",
    SOPS_AGE_KEY_FILE: join(root, "../keys.txt"),
    GIT_AUTHOR_NAME: "t",
    GIT_AUTHOR_EMAIL: "t@example.org",
    GIT_COMMITTER_NAME: "t",
    GIT_COMMITTER_EMAIL: "t@example.org",
    // Git, and the hook that Git runs, must not read the Git configuration of the user who runs the tests.
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.${remote}.insteadOf`,
    GIT_CONFIG_VALUE_0: remoteUrl,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
}

/**
 * Writes scripts that replace programs. Returns a PATH that begins with the folder of these scripts.
 *
 * @param scripts shell commands, keyed by the name of the script
 * @param folders next folders in the PATH
 */
export function pathWith(scripts: Readonly<Record<string, string>>, ...folders: readonly string[]): string {
  const bin = scratchFolder("bin");
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return [bin, ...folders, process.env["PATH"] ?? ""].join(delimiter);
}
