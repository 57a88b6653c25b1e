import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fluxFolder, helmfileFile, isEncryptedFile, overlayFolder, workloadsFolder } from "../spec/layout.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { stateFolder } from "../system/state-folder.ts";
import { compareText } from "../system/text.ts";
import { isVersionAtLeast } from "../system/version.ts";

/**
 * Name of the inventory of the root helmfile.yaml (see `Inventory`). All environments share the root helmfile.yaml, so
 * the inventories of the environments do not contain it. No environment can have the name `_root`.
 */
export const rootOwner = "_root";

/**
 * Record of the files that meshops generated for one owner. An owner is the name of an environment, `rootOwner` or
 * `scaffoldOwner`. From this record, meshops determines whether it generated a file, and whether a generated file was
 * edited later. The inventory is committed together with the generated files.
 */
export interface Inventory {
  /**
   * Version of meshops that last changed the generated files. If a newer version generates the same files, the field
   * does not change. Versions before 0.2 did not write this field. For an inventory of such a version, the field is
   * null until the generated files change.
   */
  readonly version: string | null;
  /**
   * Hash of the inputs from which the files were generated (`inputs.ts`). The hash is null in three cases: a run is
   * writing files, an older version of meshops wrote the inventory, or the environment has findings about its identity.
   * If the hash is null, the next run renders the environment.
   */
  readonly inputs: string | null;
  /**
   * Map from the path of each generated file to the SHA-256 hash of the file's text. While a run writes files, the map
   * can contain two hashes for a file: the hash of the old text and the hash of the new text.
   */
  readonly files: ReadonlyMap<string, readonly string[]>;
}

/** Owner of the files that `meshops init` creates and `meshops generate` updates. No environment can have this name. */
export const scaffoldOwner = "_scaffold";

export function inventoryFile(owner: string): string {
  return `${stateFolder}/${owner}.json`;
}

/** Returns the owners that have an inventory, sorted: environments and `rootOwner`. Never returns `scaffoldOwner`. */
export function inventoryOwners(root: string): string[] {
  const folder = join(root, stateFolder);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const owners = names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
  return owners.filter((owner) => owner === rootOwner || isEnvironmentName(owner)).sort(compareText);
}

/**
 * Parses an inventory. Ignores paths that cannot belong to the given owner. If the text is not valid JSON, for example
 * because of merge conflict markers, the function reads every line with a path and a hash. In a conflict, these are the
 * lines of both sides.
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

/**
 * Returns the newest version in the text of an inventory that is not valid JSON; null if no line contains a version.
 */
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

/**
 * Whether a file can be in the bundle of an owner (see `Inventory`). A bundle contains the copies of the encrypted
 * Secrets of workloads, but not the encrypted Secrets of the identity.
 */
function mayOwn(owner: string, file: string): boolean {
  if (file.split("/").includes("..")) return false;
  if (isEncryptedFile(file)) return file.startsWith(`${overlayFolder(owner, workloadsFolder)}/`);
  if (owner === rootOwner) return file === helmfileFile;
  if (owner === scaffoldOwner)
    return /^(bases\/|\.githooks\/|\.github\/workflows\/|\.azure-pipelines\/|azure-pipelines\.yml$)/.test(file);
  return file.startsWith(`${overlayFolder(owner)}/`) || file.startsWith(`${fluxFolder(owner)}/`);
}
