import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { reservePort } from "../cluster/harness/processes.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { run } from "../support/tools.ts";
import { serveRepository } from "./git-server.ts";

test("a client can clone the served repository, and cannot push to it", async () => {
  const folder = scratchFolder("git-server");
  const git = (cwd: string, ...args: string[]): Promise<string> =>
    run("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], { cwd });
  await git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "platform.git");
  await git(folder, "clone", "--quiet", "platform.git", "work");
  const work = join(folder, "work");
  writeTree(work, { "big.txt": "a line\n".repeat(100_000), "small.txt": "1\n" });
  await git(work, "add", "--all");
  await git(work, "commit", "--quiet", "--message", "first");
  await git(work, "push", "--quiet", "origin", "HEAD:main");
  const address = `127.0.0.1:${await reservePort()}`;
  const server = await serveRepository(join(folder, "platform.git"), address);
  try {
    const url = `http://${address}/platform.git`;
    await git(folder, "clone", "--quiet", "--depth", "1", url, "clone");
    expect(readFileSync(join(folder, "clone/small.txt"), "utf8")).toBe("1\n");
    await expect(git(work, "push", "--quiet", url, "HEAD:other")).rejects.toThrow(/failed/);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
