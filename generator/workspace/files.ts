import { randomBytes } from "node:crypto";
import { constants, readFileSync } from "node:fs";
import { type FileHandle, lstat, mkdir, open, realpath, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { exitCode, UserError } from "../user-error.ts";

/** Ending of files that a killed run may leave behind. */
export const temporarySuffix = ".meshops-tmp";

/**
 * The absolute path of a file of the repository. Refuses a path whose existing folders are not where they seem:
 * through `..` or a symbolic link, one environment's files could land in another's folder, or outside.
 *
 * @param root absolute, symbolic links resolved
 * @throws UserError
 */
export async function pathWithin(root: string, path: string): Promise<string> {
  const target = join(root, path);
  if (!target.startsWith(root + sep) || !(await isPlain(dirname(target))))
    throw new UserError(
      exitCode.problem,
      `${path} leads out of its folder`,
      "a folder on the way is a symbolic link; replace it by a real one",
    );
  return target;
}

/** Whether a folder, or the part of its path that exists, is reached without symbolic links. */
async function isPlain(folder: string): Promise<boolean> {
  try {
    return (await realpath(folder)) === folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const itself = await lstat(folder).catch(() => null);
    // What does not exist is as plain as the folder above it; a link to nothing does exist, as does what came into being just now.
    if (itself === null) return isPlain(dirname(folder));
    return !itself.isSymbolicLink() && isPlain(folder);
  }
}

/** What stands at a path: a file with its text, nothing, a symbolic link, or something that cannot give way to a file. */
export type Occupant = { readonly kind: "file"; readonly text: string } | { readonly kind: "nothing" | "link" | "obstacle" };

/** Looks at a path without following a link at its end, and without waiting for a pipe's other end. */
export async function lookAt(path: string): Promise<Occupant> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return (await handle.stat()).isFile() ? { kind: "file", text: await handle.readFile("utf8") } : { kind: "obstacle" };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { kind: "nothing" };
    if (code === "ELOOP") return { kind: "link" };
    if (["ENOTDIR", "EISDIR", "ENXIO"].includes(code)) return { kind: "obstacle" };
    throw error;
  } finally {
    await handle?.close();
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

/** Writes a file whole or not at all: a temporary file beside it, flushed to disk, then renamed over it. */
export async function writeAtomic(path: string, text: string, mode: number = 0o666): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}${temporarySuffix}`;
  await mkdir(dirname(path), { recursive: true });
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes a file, and the folders that it leaves empty, up to but not including `stop`. */
export async function removeFile(path: string, stop: string): Promise<void> {
  await rm(path, { force: true });
  for (let folder = dirname(path); folder.startsWith(stop + sep); folder = dirname(folder))
    if (!(await removeIfEmpty(folder))) return;
}

/** Removes a folder if nothing is in it. */
async function removeIfEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}
