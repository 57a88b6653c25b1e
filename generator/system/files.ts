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

/**
 * Returns `folder` if it contains a file or folder with the given name. Otherwise, returns the nearest ancestor of
 * `folder` that contains it. Returns null if no such ancestor exists.
 */
export function findUp(folder: string, name: string): string | null {
  if (existsSync(join(folder, name))) return folder;
  return dirname(folder) === folder ? null : findUp(dirname(folder), name);
}

/** Suffix of temporary files. If meshops is killed, temporary files may remain. */
export const temporarySuffix = ".meshops-tmp";

/**
 * Returns the absolute path of a file in the repository. Rejects a path that leads out of the repository or contains a
 * symbolic link. Through such a path, meshops could write the files of one environment to the folder of another
 * environment or outside the repository.
 *
 * @param root absolute path, with symbolic links resolved
 * @throws UserError (problem) if the path is rejected
 */
export function pathWithin(root: string, path: string): string {
  return pathsWithin(root)(path);
}

/** Returns a function like `pathWithin` for many files. Each folder is checked only once. */
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
    // If the folder does not exist, check its parent. `itself` is defined in two cases: for a dangling link, and for a
    // folder that another process created after the call of `realpathSync`.
    if (itself === undefined) return isPlain(dirname(folder));
    return !itself.isSymbolicLink() && isPlain(folder);
  }
}

/**
 * State of a path: a regular file with its text, nothing, a symbolic link, or an obstacle. An obstacle, such as a
 * folder, cannot be overwritten with a file.
 */
export type PathState = { readonly kind: "file"; readonly text: string } | { readonly kind: "nothing" | "link" | "obstacle" };

/**
 * Returns the state of a path, including the text of a regular file. Does not follow a symbolic link. If the path is a
 * named pipe, the function does not wait for a writer.
 */
export function readPathState(path: string): PathState {
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

/** Returns the text of a file. Returns null if the file does not exist. */
export function readIfExists(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Writes a file atomically: writes a temporary file in the same folder, and then renames it to the file's name.
 *
 * @param options.durable whether to flush the text to disk before the rename. If true, the file contains either the
 *   old or the new text after a power failure. Files that can be generated again do not need this
 */
export function writeAtomic(
  path: string,
  text: string | Uint8Array,
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

/** Creates a file, and its folder if the folder does not exist. Returns the handle of the file. */
function create(path: string, mode: number): number {
  try {
    return openSync(path, "wx", mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "wx", mode);
  }
}

/** Removes a file, and then its parent folders if they are empty, up to but not including `stop`. */
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
