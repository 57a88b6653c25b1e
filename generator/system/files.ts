import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, sep } from "node:path";
import { exitCode, UserError } from "./errors.ts";

/** Returns the folder or its nearest ancestor that contains a file or folder with a name; null if none does. */
export function folderAbove(folder: string, name: string): string | null {
  if (existsSync(join(folder, name))) return folder;
  return dirname(folder) === folder ? null : folderAbove(dirname(folder), name);
}

/** Suffix of temporary files, which a killed run may leave behind. */
export const temporarySuffix = ".meshops-tmp";

/**
 * Returns the absolute path of a file of the repository. Rejects a path that leads out of the repository or contains a
 * symbolic link: one environment's files could otherwise be written to another's folder, or outside the repository.
 *
 * @param root absolute path, with symbolic links resolved
 * @throws UserError (problem) if the path is rejected
 */
export function pathWithin(root: string, path: string): string {
  return pathsWithin(root)(path);
}

/** `pathWithin` for many files: each folder is checked once. */
export function pathsWithin(root: string): (path: string) => string {
  const plain = new Map<string, boolean>();
  return (path) => {
    const target = join(root, path);
    const folder = dirname(target);
    const known = plain.get(folder) ?? isPlain(folder);
    plain.set(folder, known);
    if (target.startsWith(root + sep) && known) return target;
    throw new UserError(
      exitCode.problem,
      `${path} is outside the repository, or a folder in its path is a symbolic link`,
      "replace the symbolic link with a folder",
    );
  };
}

/** Whether the existing part of a folder's path contains no symbolic links. */
function isPlain(folder: string): boolean {
  try {
    return realpathSync.native(folder) === folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const itself = lstatSync(folder, { throwIfNoEntry: false });
    // For a missing folder, check its parent. A dangling link exists, and so does a folder that was created just now.
    if (itself === undefined) return isPlain(dirname(folder));
    return !itself.isSymbolicLink() && isPlain(folder);
  }
}

/**
 * What exists at a path: a regular file with its text, nothing, a symbolic link, or an obstacle such as a folder, which
 * cannot be overwritten with a file.
 */
export type Occupant = { readonly kind: "file"; readonly text: string } | { readonly kind: "nothing" | "link" | "obstacle" };

/**
 * Reads what exists at a path. Does not follow a symbolic link at its end, and does not wait for the other end of a
 * pipe.
 */
export function lookAt(path: string): Occupant {
  let handle: number | undefined;
  try {
    handle = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return fstatSync(handle).isFile() ? { kind: "file", text: readFileSync(handle, "utf8") } : { kind: "obstacle" };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { kind: "nothing" };
    if (code === "ELOOP") return { kind: "link" };
    if (["ENOTDIR", "EISDIR", "ENXIO"].includes(code)) return { kind: "obstacle" };
    throw error;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Returns a file's text; null if the file does not exist. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Writes a file atomically: writes a temporary file in the same folder and renames it to the file's name.
 *
 * @param options.durable flush the text to disk before the rename, so that the old or the new text also survives a
 * power failure; not needed for files that can be generated again
 */
export function writeAtomic(
  path: string,
  text: string,
  options: { readonly mode?: number; readonly durable?: boolean } = {},
): void {
  const { mode = 0o666, durable = true } = options;
  const temporary = `${path}.${randomBytes(6).toString("hex")}${temporarySuffix}`;
  try {
    const handle = create(temporary, mode);
    try {
      writeFileSync(handle, text);
      if (durable) fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Creates a file, and its folder if it does not exist. Returns the file's handle. */
function create(path: string, mode: number): number {
  try {
    return openSync(path, "wx", mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "wx", mode);
  }
}

/** Removes a file, and the folders that are then empty, up to but not including `stop`. */
export function removeFile(path: string, stop: string): void {
  rmSync(path, { force: true });
  for (let folder = dirname(path); folder.startsWith(stop + sep); folder = dirname(folder)) if (!removeIfEmpty(folder)) return;
}

/** Removes a folder if it is empty. Returns whether it was removed. */
function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
