import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { version } from "../../generator/system/version.ts";
import { nodeVersions } from "../../scripts/tools/pins.ts";
import { withNode } from "../support/guards.ts";
import { readTree, scratchFolder } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/*
 * Tests the shipped command line on each supported version of Node: the version that runs the tests (20 in CI), and the
 * versions that `npm run tools` installs.
 */
describe(`Node ${process.versions.node}`, () => runsOn(process.execPath));
for (const node of nodeVersions) withNode(node, `Node ${node}`, runsOn);

function runsOn(node: string): void {
  const cli = join(projectRoot, "dist/cli.js");
  const cache = scratchFolder("cache");
  const meshops = (args: readonly string[], env: Record<string, string> = {}): Promise<string> =>
    run(node, [cli, ...args], { cwd: projectRoot, env: { XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: "", ...env } });

  test("starts", async () => {
    expect(await meshops(["--version"])).toBe(`${version}\n`);
    expect(await meshops(["--help"])).toMatch(/^Usage: meshops /);
  });

  test("generates the same files as those in Git", async () => {
    await meshops(["generate", "--check"]);
  });

  test("prints a graph as Mermaid, and as an HTML page with SVG images of Graphviz", async () => {
    expect(await meshops(["graph", "dev"])).toContain("linkerd-control-plane");
    expect(await meshops(["graph", "dev", "--output", "html"])).toContain("<svg");
  });

  test("stores compiled code in the user's cache folder or in NODE_COMPILE_CACHE, if this version of Node supports a compile cache", async () => {
    await meshops(["--version"]);
    const able = (await run(node, ["-p", "typeof require('node:module').enableCompileCache"])) === "function\n";
    const kept = (folder: string): number => (existsSync(folder) ? Object.keys(readTree(folder)).length : 0);
    expect(kept(join(cache, "meshops/compiled")) > 0).toBe(able);

    const [chosen, other] = [scratchFolder("chosen"), scratchFolder("other")];
    await meshops(["--version"], { NODE_COMPILE_CACHE: chosen, XDG_CACHE_HOME: other });
    expect(kept(chosen) > 0).toBe(able);
    expect(kept(other)).toBe(0);
  });

  test("also starts if the cache folder is not writable", async () => {
    expect(await meshops(["--version"], { XDG_CACHE_HOME: "/dev/null" })).toBe(`${version}\n`);
  });
}
