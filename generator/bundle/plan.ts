import { exitCode, UserError } from "../system/errors.ts";
import { type PathState, pathsWithin, readPathState } from "../system/files.ts";
import { sha256 } from "../system/hash.ts";
import { isVersionAtLeast, version } from "../system/version.ts";
import type { Bundle } from "./bundle.ts";
import { type Inventory, inventoryFile, inventoryText, parseInventory } from "./inventory.ts";

/** The planned change of one file. */
export interface FileChange {
  readonly path: string;
  /**
   * `create`, `update`, `remove`: meshops creates, updates or removes the file. `keep`: meshops no longer generates the
   * file, but does not remove it, because a user has edited the file. `replace`: meshops did not generate the existing
   * file, and overwrites this file only with --force. `blocked`: the path is a folder or a device, or a parent folder
   * in the path is a file. No option overwrites a blocked path.
   */
  readonly action: "create" | "update" | "replace" | "remove" | "keep" | "blocked";
  /** Whether a user has edited the file after meshops generated it. The action `update` overwrites these edits. */
  readonly edited: boolean;
}

/** Differences between the files of an owner (see `Inventory`) on disk and the bundle of this owner. */
export interface Plan {
  readonly owner: string;
  readonly changes: readonly FileChange[];
  readonly unchanged: number;
  /** Map from the paths of the files to their texts. */
  readonly bundle: Bundle;
  readonly before: Inventory;
  /** The inventory after all files have been written. */
  readonly after: Inventory;
  /** Whether the inventory on disk is equal to `after`. */
  readonly inventoryCurrent: boolean;
}

/**
 * Compares an owner's bundle with the files on disk. Does not write files.
 *
 * @param root absolute path of the repository, with symbolic links resolved
 * @param owner an environment, or `rootOwner`
 * @param bundle the owner's files; empty if the environment no longer exists
 * @param inputsOf returns the hash of the inputs for the new inventory; if omitted, the new inventory contains the
 *   existing hash
 * @throws UserError if a path leads outside the repository, or if a newer version of meshops has changed the files
 */
export function makePlan(
  root: string,
  owner: string,
  bundle: Bundle,
  inputsOf?: (files: Inventory["files"]) => string | null,
): Plan {
  const within = pathsWithin(root);
  const { inventory, before } = readInventory(root, owner);
  const changes: FileChange[] =
    inventory.kind === "obstacle" || inventory.kind === "link"
      ? [{ path: inventoryFile(owner), action: "blocked", edited: false }]
      : [];
  for (const [path, text] of bundle) {
    const change = compare(path, text, readPathState(within(path)), before.files.get(path));
    if (change !== null) changes.push(change);
  }
  for (const [path, hashes] of before.files) {
    if (bundle.has(path)) continue;
    const current = readPathState(within(path));
    if (current.kind === "nothing") continue;
    const isUnedited = current.kind === "file" && hashes.includes(sha256(current.text));
    changes.push({ path, action: isUnedited ? "remove" : "keep", edited: !isUnedited });
  }
  const files = new Map([...bundle].map(([path, text]) => [path, [sha256(text)]]));
  const after: Inventory = {
    version: versionOf(before, files),
    inputs: inputsOf === undefined ? before.inputs : inputsOf(files),
    files,
  };
  const inventoryCurrent =
    bundle.size === 0 ? inventory.kind === "nothing" : inventory.kind === "file" && inventory.text === inventoryText(after);
  const touched = changes.filter(({ path }) => bundle.has(path)).length;
  return { owner, changes, unchanged: bundle.size - touched, bundle, before, after, inventoryCurrent };
}

/**
 * Returns a plan with the given changes. The caller determines these changes.
 *
 * @param content.bundle texts of the files that are written and of the files that do not change
 * @param content.files hashes to store in the inventory
 */
export function makeInventoryPlan(
  root: string,
  owner: string,
  { bundle, changes, files }: Pick<Plan, "bundle" | "changes"> & Pick<Inventory, "files">,
): Plan {
  const { inventory, before } = readInventory(root, owner);
  const after = { version: versionOf(before, files), inputs: null, files };
  const inventoryCurrent = inventory.kind === "file" && inventory.text === inventoryText(after);
  return { owner, changes, unchanged: bundle.size - changes.length, bundle, before, after, inventoryCurrent };
}

/**
 * Reads an owner's inventory.
 *
 * @throws UserError (problem) if a newer version of meshops has changed the generated files, because the running
 * version would undo those changes
 */
function readInventory(root: string, owner: string): { inventory: PathState; before: Inventory } {
  const inventory = readPathState(pathsWithin(root)(inventoryFile(owner)));
  const before = parseInventory(inventory.kind === "file" ? inventory.text : "", owner);
  const { version: writer } = before;
  if (writer !== null && !isVersionAtLeast(version, writer))
    throw new UserError(
      exitCode.problem,
      `${inventoryFile(owner)}: meshops ${writer} generated the files that this inventory lists, but you are running the older version ${version}`,
      `npm install --save-dev meshops@${writer}`,
    );
  return { inventory, before };
}

/**
 * Returns the version that last changed the files: the version in the inventory if the files do not change, otherwise
 * the running version.
 */
function versionOf(before: Inventory, files: Inventory["files"]): string | null {
  const same =
    before.files.size === files.size &&
    [...files].every(([path, [hash]]) => before.files.get(path)?.length === 1 && before.files.get(path)?.[0] === hash);
  return same ? before.version : version;
}

function compare(path: string, text: string, current: PathState, hashes: readonly string[] | undefined): FileChange | null {
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

/** Whether generated files or the inventory on disk differ from the plan. Ignores files with the action `keep`. */
export function hasDrift(plan: Plan): boolean {
  return plan.changes.some(({ action }) => action !== "keep") || !plan.inventoryCurrent;
}
