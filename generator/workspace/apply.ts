import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathWithin, removeFile, temporarySuffix, writeAtomic } from "./files.ts";
import { type Manifest, manifestFile, manifestFolder, manifestText } from "./manifest.ts";
import { hasDrift, type Plan } from "./plan.ts";

/**
 * Carries a plan out. Killed at any moment it leaves every file whole, old or new, and a manifest that knows both:
 * the manifest is written first with the old and the new hashes, and last with the new ones alone.
 * The caller holds the lock.
 */
export async function applyPlan(root: string, plan: Plan): Promise<void> {
  if (!hasDrift(plan)) return;
  const manifest = await pathWithin(root, manifestFile(plan.owner));
  await removeTemporaries(root, plan);
  await writeAtomic(manifest, manifestText(union(plan.before, plan.after)));
  for (const { path, action } of plan.changes) {
    if (action === "keep") continue;
    const target = await pathWithin(root, path);
    if (action === "remove") await removeFile(target, root);
    else await writeAtomic(target, plan.bundle.get(path) ?? "");
  }
  if (plan.bundle.size === 0) await removeFile(manifest, join(root, manifestFolder));
  else await writeAtomic(manifest, manifestText(plan.after));
}

function union(before: Manifest, after: Manifest): Manifest {
  const files = new Map<string, readonly string[]>(before.files);
  for (const [path, hashes] of after.files) files.set(path, [...new Set([...(files.get(path) ?? []), ...hashes])]);
  return { files };
}

/** Removes what a killed run left half-written in the folders that this one writes to. */
async function removeTemporaries(root: string, plan: Plan): Promise<void> {
  const folders = new Set(
    [...plan.bundle.keys(), ...plan.before.files.keys(), manifestFile(plan.owner)].map((path) => dirname(join(root, path))),
  );
  for (const folder of folders) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) if (name.endsWith(temporarySuffix)) await rm(join(folder, name), { force: true });
  }
}
