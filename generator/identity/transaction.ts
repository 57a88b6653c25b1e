import { rm } from "node:fs/promises";
import { certificateFiles, identityFolder, overlayFolder, signingKeysFile } from "../spec/layout.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { lookAt, pathWithin, writeAtomic } from "../system/files.ts";
import { sha256 } from "../system/hash.ts";
import { stateFolder } from "../system/state-folder.ts";
import type { Changes } from "./files.ts";
import { sopsConfigFile } from "./sops-config.ts";

/** Changes that are under way, in a folder that Git ignores; all that they hold is public or encrypted. */
export const journalFile: string = `${stateFolder}/pending/identity.json`;

/** A file to write: its path, the hash of what stands there before (null for nothing), and the new text. */
type Entry = readonly [path: string, before: string | null, text: string];

/**
 * Writes several files so that, whenever the process is killed, either none of them is new or the next `finishChanges` makes all of them new:
 * they are noted as a whole first. The caller holds the lock.
 */
export async function writeChanges(root: string, changes: Changes): Promise<void> {
  const entries: Entry[] = [];
  for (const [path, text] of changes) entries.push([path, hashOf(root, path), text]);
  writeAtomic(pathWithin(root, journalFile), JSON.stringify(entries));
  await finishChanges(root);
}

/**
 * Carries out what a killed run had noted; returns whether there was something. The caller holds the lock. A note is no authority: it may name
 * files of identities alone, and of those such as have not changed since it was made.
 *
 * @throws UserError (problem) where it says more than that
 */
export async function finishChanges(root: string): Promise<boolean> {
  const path = pathWithin(root, journalFile);
  const journal = lookAt(path);
  if (journal.kind !== "file") return false;
  const entries = parseEntries(journal.text);
  for (const [file, before, text] of entries) {
    if (!mayWrite(file)) throw notOurs(`${file} is no file of an identity`);
    const standing = hashOf(root, file);
    if (standing !== before && standing !== sha256(text))
      throw notOurs(`${file} is not what an interrupted run would have changed`);
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
    // Told below, as what has another shape.
  }
  throw notOurs("it cannot be read");
}

function notOurs(why: string): UserError {
  return new UserError(
    exitCode.problem,
    `${journalFile} is not carried out: ${why}`,
    `restore the folders of identities from Git, and rm ${journalFile}`,
  );
}

function hashOf(root: string, path: string): string | null {
  const standing = lookAt(pathWithin(root, path));
  return standing.kind === "file" ? sha256(standing.text) : null;
}

/** Whether a path is one of an identity's. */
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
