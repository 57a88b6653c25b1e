import { rm } from "node:fs/promises";
import type { Changes } from "../identity/files.ts";
import { lookAt, pathWithin, writeAtomic } from "./files.ts";
import { manifestFolder } from "./manifest.ts";

/** Changes that are under way, in a folder that Git ignores; all that they hold is public or encrypted. */
export const journalFile: string = `${manifestFolder}/pending/identity.json`;

/**
 * Writes several files so that, whenever the process is killed, either none of them is new or the next `finishChanges` makes all of them new:
 * they are noted as a whole first. The caller holds the lock.
 */
export async function writeChanges(root: string, changes: Changes): Promise<void> {
  await writeAtomic(await pathWithin(root, journalFile), JSON.stringify([...changes]));
  await finishChanges(root);
}

/** Carries out what a killed run had noted; returns whether there was something. The caller holds the lock. */
export async function finishChanges(root: string): Promise<boolean> {
  const path = await pathWithin(root, journalFile);
  const journal = await lookAt(path);
  if (journal.kind !== "file") return false;
  for (const [file, text] of JSON.parse(journal.text) as [string, string][])
    await writeAtomic(await pathWithin(root, file), text);
  await rm(path, { force: true });
  return true;
}
