import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { scratchFolder } from "./platform.ts";
import { projectRoot, run } from "./tools.ts";

/** URL of the repository in tests. Git reads and writes a local folder instead (see `readmeEnv`). */
export const remoteUrl = "https://example.org/acme/platform.git";

/** Packs meshops in a folder, as `npm pack` in a checkout does. Returns the path of the package. */
export async function packMeshops(folder: string): Promise<string> {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [file] = JSON.parse(await run("npm", args, { cwd: projectRoot })) as [{ filename: string }];
  return join(folder, file.filename);
}

/** Returns the lines of each shell block of a Markdown text. */
export function shellBlocks(markdown: string): string[][] {
  return [...markdown.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text]) => (text ?? "").trim().split("\n"));
}

/**
 * Returns environment variables for the commands in a README. With these variables, Git uses a bare repository next to
 * the platform repository instead of the repository's URL. The age keys are in a file next to the platform repository.
 *
 * @param root the platform repository
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
    // The hook must use the Git configuration of its own repository. It must not use the configuration of the
    // repository that contains the tests.
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.${remote}.insteadOf`,
    GIT_CONFIG_VALUE_0: remoteUrl,
    npm_config_prefer_offline: "true",
    npm_config_audit: "false",
    npm_config_fund: "false",
  };
}

/** Returns a PATH that begins with a folder with stand-ins for programs. @param scripts shell scripts by name */
export function pathWith(scripts: Readonly<Record<string, string>>, ...folders: readonly string[]): string {
  const bin = scratchFolder("bin");
  for (const [name, text] of Object.entries(scripts)) writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  return [bin, ...folders, process.env["PATH"] ?? ""].join(delimiter);
}
