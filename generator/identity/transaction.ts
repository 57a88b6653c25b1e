import { rm } from "node:fs/promises";
import { certificateFiles, identityFolder, overlayFolder, signingKeysFile } from "../spec/layout.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { pathWithin, readPathState, writeAtomic } from "../system/files.ts";
import { sha256 } from "../system/hash.ts";
import { stateFolder } from "../system/state-folder.ts";
import type { Changes } from "./files.ts";
import { sopsConfigFile } from "./sops-config.ts";

/**
 * Path of the journal, which contains the changes that `writeChanges` is making. Git ignores the folder of the journal.
 * The journal contains only public and encrypted data.
 */
export const journalFile: string = `${stateFolder}/pending/identity.json`;

/**
 * A file to write: its path, the SHA-256 hash of its text before the change (null if the file did not exist), and its
 * new text.
 */
type JournalEntry = readonly [path: string, before: string | null, text: string];

/**
 * Writes several files as one transaction. First writes all changes to a journal. If the process is killed before the
 * journal is complete, no file has changed. If the process is killed later, the next call of `finishChanges` completes
 * all changes. The caller must have locked the repository.
 */
export async function writeChanges(root: string, changes: Changes): Promise<void> {
  const entries: JournalEntry[] = [];
  for (const [path, text] of changes) entries.push([path, hashOf(root, path), text]);
  writeAtomic(pathWithin(root, journalFile), JSON.stringify(entries));
  await finishChanges(root);
}

/**
 * Completes the changes in a journal, for example after a process was killed during `writeChanges`. Returns whether a
 * journal existed. The caller must have locked the repository. Before it writes a file, the function checks that all
 * files in the journal are identity files or .sops.yaml, and that only meshops has changed these files since the
 * journal was written.
 *
 * @throws UserError (problem) if the journal is damaged, or if one of these checks fails
 */
export async function finishChanges(root: string): Promise<boolean> {
  const path = pathWithin(root, journalFile);
  const journal = readPathState(path);
  if (journal.kind !== "file") return false;
  const entries = parseEntries(journal.text);
  for (const [file, before, text] of entries) {
    if (!mayWrite(file)) throw refusal(`${file} is not an identity file`);
    const current = hashOf(root, file);
    if (current !== before && current !== sha256(text)) throw refusal(`${file} has changed since the interrupted run`);
  }
  for (const [file, , text] of entries) writeAtomic(pathWithin(root, file), text);
  await rm(path, { force: true });
  return true;
}

function parseEntries(text: string): JournalEntry[] {
  try {
    const entries = JSON.parse(text) as JournalEntry[];
    if (
      entries.every(
        ([path, before, after]) => [typeof path, typeof after].every((type) => type === "string") && before !== undefined,
      )
    )
      return entries;
  } catch {
    // The `throw` below reports invalid JSON and JSON with an unexpected structure in the same way.
  }
  throw refusal("the journal is damaged");
}

function refusal(why: string): UserError {
  return new UserError(
    exitCode.problem,
    `meshops cannot complete the interrupted changes in ${journalFile}: ${why}`,
    `restore the folders environments/*/identity and overlays/*/identity and the file ${sopsConfigFile} from Git, then run rm ${journalFile}`,
  );
}

function hashOf(root: string, path: string): string | null {
  const current = readPathState(pathWithin(root, path));
  return current.kind === "file" ? sha256(current.text) : null;
}

/** Whether a path is the path of .sops.yaml, or of a file of an environment's identity. */
function mayWrite(path: string): boolean {
  if (path === sopsConfigFile) return true;
  const [, environment = "", file = ""] =
    /^(?:environments\/([^/]+)\/identity|overlays\/([^/]+)\/identity)\/([^/]+)$/
      .exec(path)
      ?.filter((part) => part !== undefined) ?? [];
  if (!isEnvironmentName(environment)) return false;
  const own = [
    ...Object.values(certificateFiles).map((name) => `${identityFolder(environment)}/${name}`),
    signingKeysFile(environment),
  ];
  return (
    own.includes(path) || (path === `${overlayFolder(environment, "identity")}/${file}` && /^[a-z0-9-]+\.sops\.yaml$/.test(file))
  );
}
