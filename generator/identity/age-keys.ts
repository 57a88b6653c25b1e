import { execFileSync } from "node:child_process";
import { constants, readFileSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { exitCode, UserError } from "../system/errors.ts";
import { lookAt, readIfThere } from "../system/files.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The age identities at hand, from where sops looks for them and in its order: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, and
 * sops/age/keys.txt in the user's configuration folder (sops, age/keysource.go). The command is run by the shell, where sops splits it into words
 * itself. SSH keys and plugins are left to the sops binary.
 *
 * @throws UserError (missing) where a variable names a file that cannot be read, or a command that fails
 */
export function ageIdentities(variables: Variables): string[] {
  const { SOPS_AGE_KEY: key, SOPS_AGE_KEY_FILE: file, SOPS_AGE_KEY_CMD: command } = variables;
  const texts = [
    key ?? "",
    file === undefined ? "" : named("SOPS_AGE_KEY_FILE", () => readFileSync(file, "utf8")),
    command === undefined
      ? ""
      : named("SOPS_AGE_KEY_CMD", () => execFileSync("sh", ["-c", command], { encoding: "utf8", env: { ...variables } })),
    readIfThere(userKeyFile(variables)) ?? "",
  ];
  const words = texts
    .flatMap((text) => text.split("\n").filter((line) => !line.startsWith("#")))
    .flatMap((line) => line.split(/[\s,]+/));
  return [...new Set(words.filter((word) => word.startsWith("AGE-SECRET-KEY-1")))];
}

/** The age identities at hand; where a key file is named that is not there, none, and a word about it. */
export function identitiesAtHand(variables: Variables, say: (message: string) => void): string[] {
  try {
    return ageIdentities(variables);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(error.message);
    return [];
  }
}

/** The file of the user's own age identities, as sops finds it on each system. */
function userKeyFile(variables: Variables, platform: NodeJS.Platform = process.platform): string {
  const { XDG_CONFIG_HOME: xdg, AppData: appData, HOME: home = homedir() } = variables;
  const folder =
    platform === "win32"
      ? (appData ?? join(home, "AppData", "Roaming"))
      : xdg !== undefined && xdg !== ""
        ? xdg
        : platform === "darwin"
          ? join(home, "Library", "Application Support")
          : join(home, ".config");
  return join(folder, "sops", "age", "keys.txt");
}

/** Adds identities to the user's key file, which nobody else may read. */
export async function addIdentities(
  variables: Variables,
  entries: readonly { readonly comment: string; readonly identity: string; readonly recipient: string }[],
): Promise<string> {
  const path = variables["SOPS_AGE_KEY_FILE"] ?? userKeyFile(variables);
  const standing = lookAt(path);
  if (standing.kind === "link" || standing.kind === "obstacle")
    throw new UserError(
      exitCode.problem,
      `${path} is no regular file`,
      "put the file itself there, or name another in SOPS_AGE_KEY_FILE",
    );
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const added = entries
    .map(({ comment, identity, recipient }) => `# ${comment}\n# public key: ${recipient}\n${identity}\n`)
    .join("");
  const ended = standing.kind !== "file" || standing.text === "" || standing.text.endsWith("\n");
  const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    await handle.chmod(0o600);
    // One write to the end of the file: what another process adds at the same time stays.
    await handle.write(ended ? added : `\n${added}`);
  } finally {
    await handle.close();
  }
  return path;
}

function named(variable: string, read: () => string): string {
  try {
    return read();
  } catch (error) {
    throw new UserError(
      exitCode.missing,
      `${variable} cannot be used: ${(error as NodeJS.ErrnoException).code ?? "the command failed"}`,
    );
  }
}
