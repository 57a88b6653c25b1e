import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fluxFolder, helmfileFile, isEncryptedFile, overlayFolder } from "../spec/layout.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { stateFolder } from "../system/state-folder.ts";
import { compareText } from "../system/text.ts";
import { isVersionAtLeast } from "../system/version.ts";

/** Owner of the files that do not belong to a single environment. An environment cannot have this name. */
export const rootOwner = "_root";

/**
 * Record of the files that meshops generated for one owner. It distinguishes generated files from existing ones, and
 * shows which generated files were edited afterwards. It is committed with the bundle.
 */
export interface Inventory {
  /**
   * Version of meshops that last changed the generated files. A version that generates the same files does not change
   * it. Null in inventories of versions before 0.2, until their files change.
   */
  readonly version: string | null;
  /**
   * Hash of the inputs that the files were generated from (`inputs.ts`). Null if it is not known: during a run, in
   * inventories of older versions, and for environments with findings about their identity, which are rendered at each
   * run.
   */
  readonly inputs: string | null;
  /** Path to the SHA-256 hashes of the file that meshops wrote: one, or two during a run. */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

/** Owner of the files that `init` wrote and `generate` updates. No environment can have this name. */
export const scaffoldOwner = "_scaffold";

export function inventoryFile(owner: string): string {
  return `${stateFolder}/${owner}.json`;
}

/** Owners that have an inventory, sorted. */
export function inventoryOwners(root: string): string[] {
  const folder = join(root, stateFolder);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const owners = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  return owners.filter((owner) => owner === rootOwner || isEnvironmentName(owner)).sort(compareText);
}

/**
 * Parses an inventory. Paths that do not belong to its owner are ignored. If the text is not valid JSON, for example
 * because it has merge conflict markers, the lines with a file and its hash are used, those of all sides.
 */
export function parseInventory(text: string, owner: string): Inventory {
  try {
    const { files, inputs, version } = JSON.parse(text) as {
      files: Record<string, unknown>;
      inputs?: unknown;
      version?: unknown;
    };
    const entries = Object.entries(files)
      .filter(([file]) => mayOwn(owner, file))
      .map(([file, hashes]) => [file, [hashes].flat().map(String)] as const);
    return { version: stringOrNull(version), inputs: stringOrNull(inputs), files: new Map(entries) };
  } catch {
    return { version: newestVersion(text), inputs: null, files: filesByLine(text, owner) };
  }
}

function stringOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Newest version that a line of a text names; null if none does. */
function newestVersion(text: string): string | null {
  const versions = [...text.matchAll(/^ *"version": "([0-9.]+)",?\r?$/gm)].map(([, version = ""]) => version);
  return versions.reduce<string | null>(
    (newest, each) => (newest !== null && isVersionAtLeast(newest, each) ? newest : each),
    null,
  );
}

function filesByLine(text: string, owner: string): Inventory["files"] {
  const files = new Map<string, string[]>();
  for (const [, file = "", hash = ""] of text.matchAll(/^ *"([^"\\]+)": "([0-9a-f]{64})",?\r?$/gm))
    if (mayOwn(owner, file)) files.set(file, [...(files.get(file) ?? []), hash]);
  return files;
}

/** Formats an inventory as JSON with one line per file, so that Git can merge the changes of two branches. */
export function inventoryText({ version, inputs, files }: Inventory): string {
  const sorted = [...files].sort(([a], [b]) => compareText(a, b));
  const content = {
    "//": "Hashes of the files that meshops wrote. Generated; do not edit.",
    ...(version === null ? {} : { version }),
    ...(inputs === null ? {} : { inputs }),
    files: Object.fromEntries(sorted.map(([file, hashes]) => [file, hashes.length === 1 ? hashes[0] : hashes])),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** Whether an owner's bundle can hold a file. Encrypted Secrets belong to the identity, never to the bundle. */
function mayOwn(owner: string, file: string): boolean {
  if (file.split("/").includes("..") || isEncryptedFile(file)) return false;
  if (owner === rootOwner) return file === helmfileFile;
  if (owner === scaffoldOwner)
    return /^(bases\/|\.githooks\/|\.github\/workflows\/|\.azure-pipelines\/|azure-pipelines\.yml$)/.test(file);
  return file.startsWith(`${overlayFolder(owner)}/`) || file.startsWith(`${fluxFolder(owner)}/`);
}
