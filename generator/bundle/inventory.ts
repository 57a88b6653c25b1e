import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fluxFolder, helmfileFile, isEncryptedFile, overlayFolder } from "../spec/layout.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { stateFolder } from "../system/state-folder.ts";
import { compareText } from "../system/text.ts";

/** Owner of the files that belong to no single environment. No environment can have this name. */
export const rootOwner = "_root";

/**
 * What meshops wrote, and with which content: by this it knows its own files from other people's,
 * and its own from those that somebody edited since. Committed with the bundle.
 */
export interface Inventory {
  /** Path to the SHA-256 hashes of what meshops wrote there: one, or two while a run is under way. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

export function inventoryFile(owner: string): string {
  return `${stateFolder}/${owner}.json`;
}

/** Owners that have a manifest, sorted. */
export function inventoryOwners(root: string): string[] {
  const folder = join(root, stateFolder);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const owners = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  return owners.filter((owner) => owner === rootOwner || isEnvironmentName(owner)).sort(compareText);
}

/**
 * A manifest from its JSON. A damaged one counts as empty, so that nothing is taken for ours that might not be.
 * Paths that its owner cannot have written are ignored.
 */
export function parseInventory(text: string, owner: string): Inventory {
  try {
    const { files } = JSON.parse(text) as { files: Record<string, unknown> };
    const entries = Object.entries(files)
      .filter(([file]) => mayOwn(owner, file))
      .map(([file, hashes]) => [file, [hashes].flat().map(String)] as const);
    return { files: new Map(entries) };
  } catch {
    return { files: new Map() };
  }
}

/** A manifest as JSON, one line a file, so that Git can merge two branches' changes. */
export function inventoryText(manifest: Inventory): string {
  const sorted = [...manifest.files].sort(([a], [b]) => compareText(a, b));
  const files = Object.fromEntries(sorted.map(([file, hashes]) => [file, hashes.length === 1 ? hashes[0] : hashes]));
  return `${JSON.stringify({ "//": "Hashes of the files that meshops wrote. Generated; do not edit.", files }, null, 2)}\n`;
}

/** Whether an owner's bundle can hold a file. Encrypted Secrets belong to the identity, never to the bundle. */
function mayOwn(owner: string, file: string): boolean {
  if (file.split("/").includes("..") || isEncryptedFile(file)) return false;
  if (owner === rootOwner) return file === helmfileFile;
  return file.startsWith(`${overlayFolder(owner)}/`) || file.startsWith(`${fluxFolder(owner)}/`);
}
