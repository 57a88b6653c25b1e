import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCode, UserError } from "./errors.ts";
import { pathWithin, temporarySuffix } from "./files.ts";
import { stateFolder } from "./state-folder.ts";

const maxWaitMs = 60_000;
/**
 * Maximum duration in milliseconds of a takeover of a stale lock. A takeover normally takes milliseconds. If the
 * takeover file is older than this duration, meshops assumes that the process that created the file was killed.
 */
const takeoverMs = 5_000;

/**
 * Runs an action while no other meshops process writes to the same repository.
 *
 * The lock file identifies its holder by host, process ID and a random word. A hard link creates the lock file together
 * with its full content. If the holder was a process on this host and the process has ended, a waiting process takes
 * over the lock. A second file, which is created exclusively, ensures that only one waiting process takes over the
 * lock.
 *
 * @param root absolute path, with symbolic links resolved
 * @throws UserError (problem) if another process holds the lock for a minute
 */
export async function withLock<T>(root: string, action: () => Promise<T>): Promise<T> {
  const path = pathWithin(root, `${stateFolder}/lock`);
  await mkdir(dirname(path), { recursive: true });
  const token = JSON.stringify({ host: hostname(), pid: process.pid, word: randomBytes(9).toString("hex") });
  const deadline = Date.now() + maxWaitMs;
  while (!(await acquire(path, token))) {
    if (Date.now() > deadline)
      throw new UserError(
        exitCode.problem,
        "another meshops process is changing this repository",
        `wait for that process to end; if no meshops process is running, run rm ${path}`,
      );
    await sleep(30 + Math.random() * 50);
  }
  try {
    return await action();
  } finally {
    if ((await holder(path)) === token) await rm(path, { force: true });
  }
}

async function acquire(path: string, token: string): Promise<boolean> {
  const candidate = `${path}.${randomBytes(6).toString("hex")}${temporarySuffix}`;
  try {
    await writeFile(candidate, token, { flag: "wx" });
    await link(candidate, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false; // another process removed the candidate file as a leftover temporary file
    if (code !== "EEXIST") throw error;
    const held = await holder(path);
    if (held !== null && isStale(held)) await takeOver(path, held);
    return false;
  } finally {
    await rm(candidate, { force: true });
  }
}

/**
 * Removes the lock file at the given path if the file still contains the text `stale`. Does nothing while another
 * process takes over the lock.
 */
async function takeOver(path: string, stale: string): Promise<void> {
  const guard = `${path}.takeover`;
  try {
    await (await open(guard, "wx")).close();
  } catch {
    const since = await stat(guard).catch(() => null);
    if (since !== null && Date.now() - since.mtimeMs > takeoverMs) await rm(guard, { force: true });
    return;
  }
  try {
    if ((await holder(path)) === stale) await rm(path, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

async function holder(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
}

/**
 * Whether the process that holds a lock has ended. A lock with invalid content is stale. A lock from another host is
 * never stale, because this host cannot check the process.
 */
function isStale(token: string): boolean {
  let owner: { host?: unknown; pid?: unknown };
  try {
    owner = JSON.parse(token) as typeof owner;
  } catch {
    return true;
  }
  if (owner === null || typeof owner.pid !== "number") return true;
  if (owner.host !== hostname()) return false;
  if (owner.pid === process.pid) return true; // an earlier process had the same process ID, for example in a new container
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EPERM";
  }
}
