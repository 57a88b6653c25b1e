import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCode, UserError } from "./errors.ts";
import { pathWithin, temporarySuffix } from "./files.ts";
import { stateFolder } from "./state-folder.ts";

const patienceMs = 60_000;
/** A takeover is a matter of milliseconds; one that stands this long belongs to a process that was killed in it. */
const takeoverMs = 5_000;

/**
 * Runs an action while no other meshops process writes to the same repository.
 *
 * The lock file says who holds it (host, process id, a random word). It comes into being whole, by a hard link.
 * A lock of this host whose process is gone is taken over; a second exclusive file lets only one waiter at a time do that.
 *
 * @param root absolute, symbolic links resolved
 * @throws UserError (problem) where another run holds the lock for a minute
 */
export async function withLock<T>(root: string, action: () => Promise<T>): Promise<T> {
  const path = pathWithin(root, `${stateFolder}/lock`);
  await mkdir(dirname(path), { recursive: true });
  const token = JSON.stringify({ host: hostname(), pid: process.pid, word: randomBytes(9).toString("hex") });
  const deadline = Date.now() + patienceMs;
  while (!(await acquire(path, token))) {
    if (Date.now() > deadline)
      throw new UserError(
        exitCode.problem,
        "another meshops is at work in this repository",
        `wait for it to end, or if none runs: rm ${path}`,
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
    if (code === "ENOENT") return false; // swept away as another run's leftover
    if (code !== "EEXIST") throw error;
    const held = await holder(path);
    if (held !== null && isStale(held)) await takeOver(path, held);
    return false;
  } finally {
    await rm(candidate, { force: true });
  }
}

/** Removes a lock that is still the stale one that was seen, while no other waiter does the same. */
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

/** Whether the process that a lock names is gone. What is no lock of ours protects nothing; another host's cannot be judged. */
function isStale(token: string): boolean {
  let owner: { host?: unknown; pid?: unknown };
  try {
    owner = JSON.parse(token) as typeof owner;
  } catch {
    return true;
  }
  if (owner === null || typeof owner.pid !== "number") return true;
  if (owner.host !== hostname()) return false;
  if (owner.pid === process.pid) return true; // an earlier process with this id, as in a fresh container
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EPERM";
  }
}
