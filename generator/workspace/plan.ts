import type { Bundle } from "../emit/bundle.ts";
import { pathWithin, readRegular } from "./files.ts";
import { contentHash, type Manifest, manifestFile, manifestText, readManifest } from "./manifest.ts";

/** What is to be done with one file. */
export interface Change {
  readonly path: string;
  /**
   * `create`, `update`, `remove`: as they say. `keep`: no longer generated, but edited since, so it stays.
   * `conflict`: something stands there that meshops did not write.
   */
  readonly action: "create" | "update" | "remove" | "keep" | "conflict";
  /** Whether an update overwrites changes that somebody made by hand. */
  readonly edited: boolean;
}

/** What lies between an owner's files on disk and its bundle. */
export interface Plan {
  readonly owner: string;
  readonly changes: readonly Change[];
  readonly unchanged: number;
  /** The bundle's text by path. */
  readonly bundle: Bundle;
  readonly before: Manifest;
  /** The manifest once everything is written. */
  readonly after: Manifest;
  /** Whether the manifest on disk is already that one. */
  readonly manifestCurrent: boolean;
}

/**
 * Compares an owner's bundle with the disk. Reads only.
 *
 * @param root absolute, symbolic links resolved
 * @param owner an environment, or `rootOwner`
 * @param bundle its files; empty where the environment is gone
 * @throws UserError where a path leads out of the repository
 */
export async function makePlan(root: string, owner: string, bundle: Bundle): Promise<Plan> {
  const manifestPath = await pathWithin(root, manifestFile(owner));
  const before = await readManifest(manifestPath, owner);
  const changes: Change[] = [];
  for (const [path, text] of bundle) {
    const change = await compare(root, path, text, before);
    if (change !== null) changes.push(change);
  }
  for (const [path, hashes] of before.files) {
    if (bundle.has(path)) continue;
    const current = await readRegular(await pathWithin(root, path));
    if (current === null) continue;
    const ours = current !== undefined && hashes.includes(contentHash(current));
    changes.push({ path, action: ours ? "remove" : "keep", edited: !ours });
  }
  const after: Manifest = { files: new Map([...bundle].map(([path, text]) => [path, [contentHash(text)]])) };
  const current = await readRegular(manifestPath);
  const manifestCurrent = bundle.size === 0 ? current === null : current === manifestText(after);
  const touched = changes.filter(({ action }) => action !== "remove" && action !== "keep").length;
  return { owner, changes, unchanged: bundle.size - touched, bundle, before, after, manifestCurrent };
}

async function compare(root: string, path: string, text: string, before: Manifest): Promise<Change | null> {
  const current = await readRegular(await pathWithin(root, path));
  if (current === text) return null;
  if (current === null) return { path, action: "create", edited: false };
  const hashes = before.files.get(path);
  if (hashes === undefined || current === undefined) return { path, action: "conflict", edited: false };
  return { path, action: "update", edited: !hashes.includes(contentHash(current)) };
}

/** Whether the disk differs from the bundle in anything. */
export function hasDrift(plan: Plan): boolean {
  return plan.changes.some(({ action }) => action !== "keep") || !plan.manifestCurrent;
}
