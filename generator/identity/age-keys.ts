import { constants, readFileSync } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { exitCode, UserError } from "../system/errors.ts";
import { readIfExists, readPathState } from "../system/files.ts";
import { runProgram } from "../system/process.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Returns the age identities of the user without duplicates. Reads the identities from the same places as sops, in the
 * same order: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, and sops/age/keys.txt in the user's configuration
 * folder (sops, age/keysource.go). Unlike sops, meshops runs the command in SOPS_AGE_KEY_CMD in a shell. sops splits
 * the command into words and runs it without a shell. meshops does not support SSH keys and age plugins. Only the sops
 * binary can decrypt files that are encrypted to an SSH key or an age plugin.
 *
 * @throws UserError (missing) if the file in SOPS_AGE_KEY_FILE cannot be read, or if the command in SOPS_AGE_KEY_CMD
 *   fails
 */
export async function ageIdentities(variables: Variables): Promise<string[]> {
  const { SOPS_AGE_KEY: key, SOPS_AGE_KEY_FILE: file, SOPS_AGE_KEY_CMD: command } = variables;
  const texts = [
    key ?? "",
    file === undefined ? "" : readKeyFile(file),
    command === undefined ? "" : await runKeyCommand(command, variables),
    readIfExists(userKeyFile(variables)) ?? "",
  ];
  const words = texts
    .flatMap((text) => text.split("\n").filter((line) => !line.startsWith("#")))
    .flatMap((line) => line.split(/[\s,]+/));
  return [...new Set(words.filter((word) => word.startsWith("AGE-SECRET-KEY-1")))];
}

/**
 * Returns the result of `ageIdentities`. If `ageIdentities` throws a UserError, passes the message of the error to
 * `warn` and returns an empty list.
 */
export async function identitiesAtHand(variables: Variables, warn: (message: string) => void): Promise<string[]> {
  try {
    return await ageIdentities(variables);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(error.message);
    return [];
  }
}

/** Returns the default path of the user's age key file. sops uses the same path on each operating system. */
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

/** An identity in the user's key file. */
export interface KeyEntry {
  /** Text of the comment above the identity, without `#`. The text contains no line break. */
  readonly comment: string;
  readonly identity: string;
  readonly recipient: string;
}

/**
 * Beginning of a comment line in the user's key file. The rest of the line is a recipient that is in use or was
 * replaced.
 */
const used = "# meshops: in use or replaced: ";

/**
 * Returns the last identity in the user's key file that has the given comment. Skips identities whose recipients
 * `markUsed` marked as used. Returns null if the file does not contain such an identity.
 */
export function unusedEntry(variables: Variables, comment: string): KeyEntry | null {
  const text = readIfExists(keyFile(variables)) ?? "";
  const entries = [...text.matchAll(/^# (.*)\n# public key: (age1\S+)\n(AGE-SECRET-KEY-1\S+)$/gm)].map(
    ([, words = "", recipient = "", identity = ""]) => ({ comment: words, recipient, identity }),
  );
  return entries.filter((entry) => entry.comment === comment && !text.includes(`${used}${entry.recipient}\n`)).at(-1) ?? null;
}

/**
 * Marks recipients in the user's key file as used, so that `unusedEntry` no longer returns their identities. Ignores
 * recipients whose identities are not in the file.
 */
export async function markUsed(variables: Variables, recipients: readonly string[]): Promise<void> {
  const text = readIfExists(keyFile(variables)) ?? "";
  const known = recipients.filter((recipient) => text.includes(`# public key: ${recipient}\n`));
  if (known.length > 0) await appendToKeyFile(variables, known.map((recipient) => `${used}${recipient}\n`).join(""));
}

/**
 * Adds identities to the user's key file, and makes the file readable only by the user. Returns the path of the file.
 */
export function addIdentities(variables: Variables, entries: readonly KeyEntry[]): Promise<string> {
  return appendToKeyFile(
    variables,
    entries.map(({ comment, identity, recipient }) => `# ${comment}\n# public key: ${recipient}\n${identity}\n`).join(""),
  );
}

/**
 * Returns the path of the file to which meshops adds age identities: the value of SOPS_AGE_KEY_FILE, or else the
 * default path of the user's key file.
 */
export function keyFile(variables: Variables): string {
  return variables["SOPS_AGE_KEY_FILE"] ?? userKeyFile(variables);
}

async function appendToKeyFile(variables: Variables, added: string): Promise<string> {
  const path = keyFile(variables);
  const existing = readPathState(path);
  if (existing.kind === "link" || existing.kind === "obstacle")
    throw new UserError(
      exitCode.problem,
      `${path} is not a regular file`,
      "move this folder, link or special file to another path; or set SOPS_AGE_KEY_FILE to the path of a regular file",
    );
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const ended = existing.kind !== "file" || existing.text === "" || existing.text.endsWith("\n");
  const handle = await open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    await handle.chmod(0o600);
    // Append all lines with a single write call. If another process appends identities at the same time, no identity is
    // lost.
    await handle.write(ended ? added : `\n${added}`);
  } finally {
    await handle.close();
  }
  return path;
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable("SOPS_AGE_KEY_FILE", (error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** Runs a command in a shell and returns its output. The output contains private keys, so it must not be printed. */
async function runKeyCommand(command: string, env: Variables): Promise<string> {
  const { stdout, code } = await runProgram("sh", ["-c", command], { env });
  if (code !== 0) throw unreadable("SOPS_AGE_KEY_CMD", "the command failed");
  return stdout;
}

function unreadable(variable: string, reason: string): UserError {
  return new UserError(exitCode.missing, `the age keys of ${variable} cannot be read: ${reason}`);
}
