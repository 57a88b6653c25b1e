import { exitCode, UserError } from "../system/errors.ts";
import { lookAt, type Occupant, pathsWithin } from "../system/files.ts";
import { sha256 } from "../system/hash.ts";
import { isVersionAtLeast, version } from "../system/version.ts";
import type { Bundle } from "./bundle.ts";
import { type Inventory, inventoryFile, inventoryText, parseInventory } from "./inventory.ts";

/** What is to be done with one file. */
export interface FileChange {
  readonly path: string;
  /**
   * `create`, `update`, `remove`: as they say. `keep`: no longer generated, but edited since, so it stays.
   * `replace`: what stands there is not meshops' and gives way only by --force.
   * `blocked`: a folder, a device or a file in a folder's place, which gives way by no option.
   */
  readonly action: "create" | "update" | "replace" | "remove" | "keep" | "blocked";
  /** Whether an update overwrites changes that somebody made by hand. */
  readonly edited: boolean;
}

/** What lies between an owner's files on disk and its bundle. */
export interface Plan {
  readonly owner: string;
  readonly changes: readonly FileChange[];
  readonly unchanged: number;
  /** The bundle's text by path. */
  readonly bundle: Bundle;
  readonly before: Inventory;
  /** The inventory once everything is written. */
  readonly after: Inventory;
  /** Whether the inventory on disk is already that one. */
  readonly inventoryCurrent: boolean;
}

/**
 * Compares an owner's bundle with the disk. Reads only.
 *
 * @param root absolute, symbolic links resolved
 * @param owner an environment, or `rootOwner`
 * @param bundle its files; empty if the environment is gone
 * @param inputsOf hash of the inputs to record with the generated files; by default the recorded one is kept and not compared
 * @throws UserError if a path leads out of the repository, or a newer meshops has changed the files
 */
export function makePlan(
  root: string,
  owner: string,
  bundle: Bundle,
  inputsOf?: (files: Inventory["files"]) => string | null,
): Plan {
  const within = pathsWithin(root);
  const inventory = lookAt(within(inventoryFile(owner)));
  const before = parseInventory(inventory.kind === "file" ? inventory.text : "", owner);
  refuseNewer(owner, before);
  const changes: FileChange[] =
    inventory.kind === "obstacle" || inventory.kind === "link"
      ? [{ path: inventoryFile(owner), action: "blocked", edited: false }]
      : [];
  for (const [path, text] of bundle) {
    const change = compare(path, text, lookAt(within(path)), before.files.get(path));
    if (change !== null) changes.push(change);
  }
  for (const [path, hashes] of before.files) {
    if (bundle.has(path)) continue;
    const current = lookAt(within(path));
    if (current.kind === "nothing") continue;
    const ours = current.kind === "file" && hashes.includes(sha256(current.text));
    changes.push({ path, action: ours ? "remove" : "keep", edited: !ours });
  }
  const files = new Map([...bundle].map(([path, text]) => [path, [sha256(text)]]));
  const after: Inventory = {
    version: sameFiles(before.files, files) ? before.version : version,
    inputs: inputsOf === undefined ? before.inputs : inputsOf(files),
    files,
  };
  const inventoryCurrent =
    bundle.size === 0 ? inventory.kind === "nothing" : inventory.kind === "file" && inventory.text === inventoryText(after);
  const touched = changes.filter(({ path }) => bundle.has(path)).length;
  return { owner, changes, unchanged: bundle.size - touched, bundle, before, after, inventoryCurrent };
}

/**
 * A plan whose changes the caller has found out.
 *
 * @param content.bundle texts of the files that are written or stay as they are
 * @param content.files hashes to record
 */
export function makeInventoryPlan(
  root: string,
  owner: string,
  { bundle, changes, files }: Pick<Plan, "bundle" | "changes"> & Pick<Inventory, "files">,
): Plan {
  const inventory = lookAt(pathsWithin(root)(inventoryFile(owner)));
  const before = parseInventory(inventory.kind === "file" ? inventory.text : "", owner);
  refuseNewer(owner, before);
  const after = { version: sameFiles(before.files, files) ? before.version : version, inputs: null, files };
  const inventoryCurrent = inventory.kind === "file" && inventory.text === inventoryText(after);
  return { owner, changes, unchanged: bundle.size - changes.length, bundle, before, after, inventoryCurrent };
}

/** @throws UserError (problem) if a newer meshops has changed the generated files: this one would undo that */
function refuseNewer(owner: string, { version: writer }: Inventory): void {
  if (writer === null || isVersionAtLeast(version, writer)) return;
  throw new UserError(
    exitCode.problem,
    `${inventoryFile(owner)}: meshops ${writer} generated these files, and this is meshops ${version}`,
    `npm install --save-dev meshops@${writer}`,
  );
}

function sameFiles(before: Inventory["files"], after: Inventory["files"]): boolean {
  if (before.size !== after.size) return false;
  return [...after].every(([path, [hash]]) => before.get(path)?.length === 1 && before.get(path)?.[0] === hash);
}

function compare(path: string, text: string, current: Occupant, hashes: readonly string[] | undefined): FileChange | null {
  switch (current.kind) {
    case "nothing":
      return { path, action: "create", edited: false };
    case "obstacle":
      return { path, action: "blocked", edited: false };
    case "link":
      return { path, action: "replace", edited: false };
    case "file":
      if (current.text === text) return null;
      if (hashes === undefined) return { path, action: "replace", edited: false };
      return { path, action: "update", edited: !hashes.includes(sha256(current.text)) };
  }
}

/** Whether the disk differs from the bundle in anything. */
export function hasDrift(plan: Plan): boolean {
  return plan.changes.some(({ action }) => action !== "keep") || !plan.inventoryCurrent;
}
