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

/** The folder, or the nearest one above it, that holds a file or folder of a name; null where none does. */
export function folderAbove(folder: string, name: string): string | null {
  if (existsSync(join(folder, name))) return folder;
  return dirname(folder) === folder ? null : folderAbove(dirname(folder), name);
}

/** Ending of files that a killed run may leave behind. */
export const temporarySuffix = ".meshops-tmp";

/**
 * The absolute path of a file of the repository. Refuses a path whose existing folders are not where they seem:
 * through `..` or a symbolic link, one environment's files could land in another's folder, or outside.
 *
 * @param root absolute, symbolic links resolved
 * @throws UserError
 */
export function pathWithin(root: string, path: string): string {
  return pathsWithin(root)(path);
}

/** `pathWithin` for many files: what was found of a folder holds for all that is in it. */
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
      `${path} leads out of its folder`,
      "a folder on the way is a symbolic link; replace it by a real one",
    );
  };
}

/** Whether a folder, or the part of its path that exists, is reached without symbolic links. */
function isPlain(folder: string): boolean {
  try {
    return realpathSync.native(folder) === folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const itself = lstatSync(folder, { throwIfNoEntry: false });
    // What does not exist is as plain as the folder above it; a link to nothing does exist, as does what came into being just now.
    if (itself === undefined) return isPlain(dirname(folder));
    return !itself.isSymbolicLink() && isPlain(folder);
  }
}

/** What stands at a path: a file with its text, nothing, a symbolic link, or something that cannot give way to a file. */
export type Occupant = { readonly kind: "file"; readonly text: string } | { readonly kind: "nothing" | "link" | "obstacle" };

/** Looks at a path without following a link at its end, and without waiting for a pipe's other end. */
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

/** A file's text; null where there is none. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Writes a file whole or not at all: a temporary file beside it, renamed over it.
 *
 * @param options.durable flushed to disk before it takes the other's place, so that a power cut leaves the old or the new too; what can be
 * generated again does without
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

/** A new file, and its folder where that is missing. */
function create(path: string, mode: number): number {
  try {
    return openSync(path, "wx", mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "wx", mode);
  }
}

/** Removes a file, and the folders that it leaves empty, up to but not including `stop`. */
export function removeFile(path: string, stop: string): void {
  rmSync(path, { force: true });
  for (let folder = dirname(path); folder.startsWith(stop + sep); folder = dirname(folder)) if (!removeIfEmpty(folder)) return;
}

/** Removes a folder if nothing is in it. */
function removeIfEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
