import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readFile, realpath, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { exitCode, UserError } from "../user-error.ts";

/** Ending of files that a killed run may leave behind. */
export const temporarySuffix = ".meshops-tmp";

/**
 * The absolute path of a file of the repository. Refuses a path whose existing folders lead out of it,
 * through `..` or a symbolic link.
 *
 * @param root absolute, symbolic links resolved
 * @throws UserError
 */
export async function pathWithin(root: string, path: string): Promise<string> {
  const target = join(root, path);
  let folder = dirname(target);
  while (!(await exists(folder))) folder = dirname(folder);
  const real = await realpath(folder);
  if (!target.startsWith(root + sep) || (real !== root && !real.startsWith(root + sep)))
    throw new UserError(
      exitCode.problem,
      `${path} leads out of the repository`,
      "a folder on the way is a symbolic link; replace it by a real one",
    );
  return target;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** Text of a regular file; null where there is none, undefined where something else stands in its place. */
export async function readRegular(path: string): Promise<string | null | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    return (await handle.stat()).isFile() ? await handle.readFile("utf8") : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    if (code === "ELOOP" || code === "EISDIR" || code === "ENXIO") return undefined;
    throw error;
  } finally {
    await handle?.close();
  }
}

/** Writes a file whole or not at all: a temporary file beside it, flushed to disk, then renamed over it. */
export async function writeAtomic(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}${temporarySuffix}`;
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(temporary, "wx").catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    await rm(temporary); // of an earlier process with this id, killed half-way
    return open(temporary, "wx");
  });
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
}

/** Removes a file, and the folders that it leaves empty, up to but not including `stop`. */
export async function removeFile(path: string, stop: string): Promise<void> {
  await rm(path, { force: true });
  for (let folder = dirname(path); folder !== stop && folder.startsWith(stop + sep); folder = dirname(folder)) {
    const removed = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

/** Text of a file that may be missing. */
export async function readOptional(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}
