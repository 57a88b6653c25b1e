import { rm } from "node:fs/promises";
import { certificateFiles, identityFolder, overlayFolder, signingKeysFile } from "../spec/layout.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { lookAt, pathWithin, writeAtomic } from "../system/files.ts";
import { sha256 } from "../system/hash.ts";
import { stateFolder } from "../system/state-folder.ts";
import type { Changes } from "./files.ts";
import { sopsConfigFile } from "./sops-config.ts";

/** Journal of changes in progress, in a folder that Git ignores. It contains only public and encrypted data. */
export const journalFile: string = `${stateFolder}/pending/identity.json`;

/** A file to write: its path, the hash of its previous text (null if it did not exist), and the new text. */
type Entry = readonly [path: string, before: string | null, text: string];

/**
 * Writes several files as one transaction. All changes are written to a journal first: if the process is killed, either
 * no file has changed, or the next `finishChanges` completes all changes. The caller holds the lock.
 */
export async function writeChanges(root: string, changes: Changes): Promise<void> {
  const entries: Entry[] = [];
  for (const [path, text] of changes) entries.push([path, hashOf(root, path), text]);
  writeAtomic(pathWithin(root, journalFile), JSON.stringify(entries));
  await finishChanges(root);
}

/**
 * Completes the changes in the journal of a killed run; returns whether there was a journal. The caller holds the lock.
 * The journal is not trusted: it may name only identity files, and only if they have not changed otherwise since.
 *
 * @throws UserError (problem) if the journal is damaged, names other files, or a file has changed since
 */
export async function finishChanges(root: string): Promise<boolean> {
  const path = pathWithin(root, journalFile);
  const journal = lookAt(path);
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

function parseEntries(text: string): Entry[] {
  try {
    const entries = JSON.parse(text) as Entry[];
    if (
      entries.every(
        ([path, before, after]) => [typeof path, typeof after].every((type) => type === "string") && before !== undefined,
      )
    )
      return entries;
  } catch {
    // Reported below, like a journal of another shape.
  }
  throw refusal("the file is damaged");
}

function refusal(why: string): UserError {
  return new UserError(
    exitCode.problem,
    `the changes in ${journalFile} cannot be completed: ${why}`,
    `restore the identity folders from Git, then run rm ${journalFile}`,
  );
}

function hashOf(root: string, path: string): string | null {
  const current = lookAt(pathWithin(root, path));
  return current.kind === "file" ? sha256(current.text) : null;
}

/** Whether a path is that of an identity file or of .sops.yaml. */
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
