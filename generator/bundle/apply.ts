import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathsWithin, removeFile, temporarySuffix, writeAtomic } from "../system/files.ts";
import { stateFolder } from "../system/state-folder.ts";
import { type Inventory, inventoryFile, inventoryText } from "./inventory.ts";
import { hasDrift, type Plan } from "./plan.ts";

/**
 * Carries a plan out. Killed at any moment it leaves every file whole, old or new, and an inventory that knows both:
 * the inventory is written first with the old and the new hashes, and last with the new ones alone.
 * The caller holds the lock. Nothing is flushed to disk, as Git does not flush a checkout: after a power cut a file may be cut short, and can be
 * generated again.
 */
export function applyPlan(root: string, plan: Plan): void {
  if (!hasDrift(plan)) return;
  const within = pathsWithin(root);
  const inventory = within(inventoryFile(plan.owner));
  const folders = new Set([...plan.bundle.keys(), ...plan.before.files.keys()].map((path) => dirname(join(root, path))));
  for (const folder of folders) removeTemporaries(folder);
  writeAtomic(inventory, inventoryText(union(plan.before, plan.after)), { durable: false });
  for (const { path, action } of plan.changes) {
    if (action === "keep") continue;
    const target = within(path);
    if (action === "remove") removeFile(target, root);
    else write(target, plan.bundle.get(path) ?? "");
  }
  if (plan.bundle.size === 0) removeFile(inventory, join(root, stateFolder));
  else writeAtomic(inventory, inventoryText(plan.after), { durable: false });
}

function write(target: string, text: string): void {
  writeAtomic(target, text, { durable: false, ...(text.startsWith("#!") ? { mode: 0o755 } : {}) });
}

function union(before: Inventory, after: Inventory): Inventory {
  const files = new Map<string, readonly string[]>(before.files);
  for (const [path, hashes] of after.files) files.set(path, [...new Set([...(files.get(path) ?? []), ...hashes])]);
  return { version: after.version, inputs: null, files };
}

/** Removes what a killed run left half-written in a folder. */
export function removeTemporaries(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (name.endsWith(temporarySuffix)) rmSync(join(folder, name), { force: true });
}
