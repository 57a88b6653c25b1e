import { cpSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { blocksIn } from "../support/docs.ts";
import { readTree, scratchFolder, writeTree } from "../support/platform.ts";
import { projectRoot, run } from "../support/tools.ts";

/*
 * Tests the npm package of meshops as a library. The package is packed, and installed into an empty folder. The tests
 * run the examples of docs/library.md with the installed package.
 */
const page = "docs/library.md";
let root: string;

beforeAll(async () => {
  root = scratchFolder("library");
  const [pack] = JSON.parse(
    await run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", root], { cwd: projectRoot }),
  ) as [{ filename: string }];
  writeTree(root, { "package.json": '{"private":true,"type":"module"}' });
  await run("npm", ["install", `./${pack.filename}`, "--no-audit", "--no-fund", "--prefer-offline"], { cwd: root });
  for (const folder of ["environments", "bases", "overlays"])
    cpSync(join(projectRoot, folder), join(root, folder), { recursive: true });
  const files = [...blocksIn(page)].map(([name, text]) => [name.slice("file: ".length), text]);
  writeTree(root, Object.fromEntries(files));
}, 120_000);

describe("the library", () => {
  test("has types with which the examples of the docs compile without errors", async () => {
    const config = {
      compilerOptions: {
        module: "nodenext",
        target: "es2022",
        strict: true,
        noEmit: true,
        types: ["node"],
        typeRoots: [join(projectRoot, "node_modules/@types")],
      },
      include: ["*.ts"],
    };
    writeTree(root, { "tsconfig.json": JSON.stringify(config) });
    const tsc = (...args: string[]): Promise<string> => run(join(projectRoot, "node_modules/.bin/tsc"), args, { cwd: root });
    // Generates the type declarations, because the global setup of the tests builds only JavaScript.
    await tsc("-p", join(projectRoot, "tsconfig.build.json"), "--outDir", join(root, "node_modules/meshops/dist"));
    expect(await tsc("-p", ".")).toBe("");
  });

  test("renders the same bundle as the command line", async () => {
    const output = await example("render.ts");
    expect(output.split("\n")[0]).toMatch(/^namespaces linkerd-crds identity linkerd-control-plane /);
    expect(output).toContain(readFileSync(join(projectRoot, "overlays/dev/dgraph/values.yaml"), "utf8"));
  });

  test("loads a spec from a text in memory, and reports the position of a finding", async () => {
    expect((await example("memory.ts")).split("\n")[0]).toBe("4:42 bad-format");
  });

  test("injects and checks manifests", async () => {
    const output = await example("inject.ts");
    expect(output).toContain("linkerd.io/inject: enabled");
    expect(output).toContain("inject-value");
  });

  test("installs no Kubernetes client, and its dependencies have the size that the docs specify", () => {
    const tree = readTree(join(root, "node_modules"));
    expect(Object.keys(tree).filter((path) => path.startsWith("@kubernetes/"))).toEqual([]);
    const bytes = Object.keys(tree).reduce((sum, path) => sum + statSync(join(root, "node_modules", path)).size, 0);
    const [, megabytes] =
      /dependencies\s+of the\s+package take (\d+) MB/.exec(readFileSync(join(projectRoot, page), "utf8")) ?? [];
    const own = Object.keys(tree)
      .filter((path) => path.startsWith("meshops/"))
      .reduce((sum, path) => sum + statSync(join(root, "node_modules", path)).size, 0);
    expect(Math.round((bytes - own) / 1e6)).toBeLessThanOrEqual(Number(megabytes));
    expect(Math.round((bytes - own) / 1e6)).toBeGreaterThanOrEqual(Number(megabytes) - 2);
  });

  test("reports a fix if a command needs the Kubernetes client, which is not installed", async () => {
    const status = (): Promise<string> =>
      run(join(root, "node_modules/.bin/meshops"), ["status", "dev", "--kubeconfig", "/nowhere"], { cwd: root });
    await expect(status()).rejects.toThrow(
      /the Kubernetes client is not installed\nfix: run npm install @kubernetes\/client-node/,
    );
  });
});

function example(file: string): Promise<string> {
  return run(join(projectRoot, "node_modules/.bin/tsx"), [file], { cwd: root });
}
