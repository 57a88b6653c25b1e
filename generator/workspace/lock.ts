import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exitCode, UserError } from "../user-error.ts";

const patienceMs = 60_000;

/**
 * Runs an action while no other meshops process writes to the same repository.
 * The lock file holds its owner's process id; a lock whose process is gone (killed) is taken over.
 *
 * @throws UserError (problem) where another run holds the lock for a minute
 */
export async function withLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const deadline = Date.now() + patienceMs;
  while (!(await acquire(path))) {
    if (Date.now() > deadline)
      throw new UserError(exitCode.problem, `another meshops is at work here (${path})`, "wait for it to end");
    await sleep(50 + Math.random() * 50);
  }
  try {
    return await action();
  } finally {
    await rm(path, { force: true });
  }
}

async function acquire(path: string): Promise<boolean> {
  try {
    const handle = await open(path, "wx");
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await removeStale(path);
    return false;
  }
}

/** Moves a dead process's lock away: the rename succeeds for one of several waiters, and is undone if it caught a live lock. */
async function removeStale(path: string): Promise<void> {
  if (await isHeld(path)) return;
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
    if (await isHeld(aside)) await rename(aside, path);
    else await rm(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Whether the process that a lock file names is alive. An empty file is a lock in the making, or one cut short: it is judged again. */
async function isHeld(path: string): Promise<boolean> {
  const owner = async (): Promise<string> => readFile(path, "utf8").catch(() => "");
  let text = await owner();
  if (text === "") {
    await sleep(100);
    text = await owner();
  }
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
