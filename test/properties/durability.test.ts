import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";
import { meshopsProcess } from "../support/cli.ts";
import { makePlatform, readTree, scratchFolder, writeTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";
import { projectRoot, run } from "../support/tools.ts";

const names = Array.from({ length: 6 }, (_, index) => `env-${index}`);
const slow = process.env["SLOW"] === "1";
const runs = slow ? 120 : 8;

function specs(release: string): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [
      `environments/${name}.yaml`,
      specText({ dgraph: { release }, linkerd: { viz: { enabled: release === "old" } } }, name),
    ]),
  );
}

function platform(): string {
  const root = makePlatform(Object.fromEntries(names.map((name) => [name, ""])));
  writeTree(root, specs("old"));
  return root;
}

/** Returns the generated files of a repository, without inventories and encrypted files. */
function bundleOf(root: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(readTree(root)).filter(([path]) => /^(overlays|flux|helmfile)/.test(path) && !path.endsWith(".sops.yaml")),
  );
}

describe("generate that is killed at a random moment", () => {
  test(`leaves each file with its complete old or complete new content, and the next run completes the update (${runs} kills)`, async () => {
    const root = platform();
    expect((await meshopsProcess(root, ["generate"])).code).toBe(0);
    const old = bundleOf(root);
    writeTree(root, specs("new"));
    const started = performance.now();
    expect((await meshopsProcess(root, ["generate"])).code).toBe(0);
    let duration = performance.now() - started;
    const current = bundleOf(root);
    expect(current).not.toEqual(old);

    let interrupted = 0;
    for (let index = 0; index < runs; index += 1) {
      const [from, to, spec] = index % 2 === 0 ? [current, old, "old"] : [old, current, "new"];
      writeTree(root, specs(spec));
      // A run writes files in the last 60 % of its duration. Therefore the test kills each run in this period, at a
      // different time for each run.
      const { code } = await meshopsProcess(root, ["generate"], {
        killAfterMs: duration * (0.4 + (0.6 * ((index * 7) % runs)) / runs),
      });
      // If a run ended before the kill, the machine was slower when the test measured the duration. In this case, the
      // test kills the next run earlier.
      if (code === null) interrupted += 1;
      else duration *= 0.7;
      for (const [path, text] of Object.entries(bundleOf(root))) {
        if (path.endsWith(".meshops-tmp")) continue;
        expect([from[path], to[path]], path).toContain(text);
      }
      const { code: repaired, stdout, stderr } = await meshopsProcess(root, ["generate"]);
      expect(repaired, stderr).toBe(0);
      expect(stdout).not.toContain("by hand");
      expect(bundleOf(root)).toEqual(to);
      expect((await meshopsProcess(root, ["generate", "--check"])).code).toBe(0);
      expect(existsSync(join(root, ".meshops/lock"))).toBe(false);
    }
    expect(interrupted).toBeGreaterThan(runs / 3);
  });
});

describe("concurrent runs", () => {
  test("wait for each other and succeed, and after the next run the generated files are up to date", async () => {
    const root = platform();
    for (let round = 0; round < (slow ? 8 : 2); round += 1) {
      const first = meshopsProcess(root, ["generate"]);
      writeTree(root, specs(round % 2 === 0 ? "new" : "old"));
      const results = await Promise.all([first, ...Array.from({ length: 3 }, () => meshopsProcess(root, ["generate"]))]);
      expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
      expect((await meshopsProcess(root, ["generate"])).code).toBe(0);
      expect((await meshopsProcess(root, ["generate", "--check"])).code).toBe(0);
    }
    expect(readdirSync(join(root, ".meshops")).filter((file) => !file.endsWith(".json"))).toEqual([]);
  });

  test("take over a lock if its process has ended, or if the lock file is damaged", async () => {
    const root = platform();
    const gone = JSON.stringify({ host: hostname(), pid: 999_999_999, word: "x" });
    for (const owner of [gone, "", "nonsense", "null"]) {
      writeTree(root, { ".meshops/lock": owner });
      expect((await meshopsProcess(root, ["generate"])).code).toBe(0);
      rmSync(join(root, "helmfile.yaml"));
    }
  });

  test("that take over a stale lock never hold the lock at the same time", async () => {
    const root = platform();
    const log = join(root, "log");
    const lock = join(scratchFolder("lock"), "lock.mjs");
    await build({
      absWorkingDir: projectRoot,
      entryPoints: ["generator/system/lock.ts"],
      outfile: lock,
      bundle: true,
      platform: "node",
      format: "esm",
    });
    const script = `
      const { withLock } = await import(${JSON.stringify(lock)});
      const { appendFileSync } = await import("node:fs");
      const { setTimeout: sleep } = await import("node:timers/promises");
      await withLock(${JSON.stringify(root)}, async () => {
        appendFileSync(${JSON.stringify(log)}, "enter\\n");
        await sleep(15);
        appendFileSync(${JSON.stringify(log)}, "leave\\n");
      });`;
    const rounds = slow ? 16 : 4;
    for (let round = 0; round < rounds; round += 1) {
      writeTree(root, { ".meshops/lock": JSON.stringify({ host: hostname(), pid: 999_999_999, word: "x" }) });
      await Promise.all(Array.from({ length: 6 }, () => run(process.execPath, ["--input-type=module", "--eval", script])));
    }
    expect(readFileSync(log, "utf8")).toBe("enter\nleave\n".repeat(6 * rounds));
    expect(readdirSync(join(root, ".meshops"))).toEqual([]);
  });

  test("read the specs after they have acquired the lock", async () => {
    const root = platform();
    writeTree(root, { ".meshops/lock": JSON.stringify({ host: hostname(), pid: process.pid, word: "this test's" }) });
    const waiting = meshopsProcess(root, ["generate"]);
    await new Promise((resolve) => setTimeout(resolve, 800));
    writeTree(root, specs("new"));
    rmSync(join(root, ".meshops/lock"));
    expect((await waiting).code).toBe(0);
    expect((await meshopsProcess(root, ["generate", "--check"])).code).toBe(0);
  });
});
