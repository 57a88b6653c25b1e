import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathsWithin, removeFile, temporarySuffix, writeAtomic } from "../system/files.ts";
import { stateFolder } from "../system/state-folder.ts";
import { type Inventory, inventoryFile, inventoryText } from "./inventory.ts";
import { hasDrift, type Plan } from "./plan.ts";

/**
 * Applies a plan. The caller must lock the repository first. If the process is killed, every file contains either its
 * complete old text or its complete new text. The function writes the inventory twice. The first version contains the
 * hashes of the old texts and of the new texts. The second version contains only the hashes of the new texts. The
 * function does not flush the files to disk. A power failure can therefore truncate a file, but meshops can generate
 * the file again.
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

/**
 * Removes the temporary files from a folder. If meshops is killed while it writes a file, a temporary file remains in
 * the folder.
 */
export function removeTemporaries(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (name.endsWith(temporarySuffix)) rmSync(join(folder, name), { force: true });
}
