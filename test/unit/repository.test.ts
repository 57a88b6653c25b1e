import { readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { buildModel } from "../../generator/components/build.ts";
import { rooms } from "../../scripts/rooms.ts";
import { meshops } from "../support/cli.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { environmentOf, sampleIdentity } from "../support/specs.ts";
import { projectRoot, run } from "../support/tools.ts";

const sources = readdirSync(join(projectRoot, "generator"), { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);

describe("this repository", () => {
  test("contains exactly the bundle that meshops generates from the specs of this repository", async () => {
    expect(await meshops(projectRoot, ["generate", "--check"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^[0-9]+ files up to date\n$/),
    });
  });

  test("has one folder per component in generator/components, and no other folders there", () => {
    const folders = readdirSync(join(projectRoot, "generator/components"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const environment = environmentOf({
      linkerd: { viz: { grafana: true }, jaeger: { enabled: true }, defaultInboundPolicy: "deny" },
      dgraph: { highAvailability: true },
      workloads: { shop: { namespace: "shop", pods: { api: { selector: { matchLabels: { app: "shop" } } } } } },
    });
    const { components } = buildModel({ environment, identity: sampleIdentity() });
    const kinds = new Set(components.map(({ id }) => id.replace(/\/.*$/, "")));
    expect([...kinds].sort()).toEqual(folders.map(({ name }) => name).sort());
  });
});

test("at most 12 files outside components, catalog and generated code contain the word Dgraph", () => {
  const files = readdirSync(join(projectRoot, "generator"), { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(projectRoot.length));
  const naming = files.filter(
    (path) =>
      !/^generator\/(components|catalog)\/|\.generated\.ts$/.test(path) &&
      /dgraph/i.test(readFileSync(join(projectRoot, path), "utf8")),
  );
  expect(naming.length, naming.join(", ")).toBeLessThanOrEqual(12);
  expect(naming.length).toBeGreaterThan(0);
});

test("only kubernetes/yaml.ts writes YAML, so that all programs read the same values from it", () => {
  const writing = sources.filter((file) =>
    /import \{[^}]*\bstringify\b[^}]*\} from "yaml"/.test(readFileSync(join(projectRoot, "generator", file), "utf8")),
  );
  expect(writing).toEqual(["kubernetes/yaml.ts"]);
});

describe("imports", () => {
  const names = rooms.map(({ name }) => name);

  test("are declared in a list of all folders of generator/, and each folder imports only from folders that follow it in the list", () => {
    expect([...new Set(sources.map(roomOf))].sort()).toEqual([...names].sort());
    for (const [index, { name, imports }] of rooms.entries())
      for (const other of imports) expect(names.indexOf(other), `${name} imports ${other}`).toBeGreaterThan(index);
  });

  test("of each folder, including imports of types, are exactly the imports that the list declares", () => {
    const used = new Map(names.map((name) => [name, new Set<string>()]));
    for (const file of sources) for (const to of importsOf(file)) used.get(roomOf(file))?.add(roomOf(to));
    for (const { name, imports } of rooms)
      expect([...(used.get(name) ?? [])].filter((to) => to !== name).sort(), name).toEqual([...imports].sort());
  });

  test("that the list does not declare are rejected by dependency-cruiser, and so are cycles and folders that are not in the list", async () => {
    const folder = scratchFolder("cruise");
    const cruise = (): Promise<string> =>
      run(
        process.execPath,
        [
          join(projectRoot, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs"),
          "--config",
          join(projectRoot, ".dependency-cruiser.mjs"),
          "generator",
        ],
        { cwd: folder },
      );
    writeTree(folder, {
      "tsconfig.json": readFileSync(join(projectRoot, "tsconfig.json"), "utf8"),
      "package.json": '{"type":"module"}',
      "generator/system/a.ts": "export const a = 1;\n",
      "generator/catalog/b.ts": "export const b = 1;\n",
    });
    symlinkSync(join(projectRoot, "node_modules"), join(folder, "node_modules"));
    await cruise();
    for (const [files, rule] of [
      [{ "generator/system/a.ts": 'export { b } from "../catalog/b.ts";\n' }, "system-imports"],
      [
        {
          "generator/system/a.ts": 'import type { C } from "../catalog/c.ts";\nexport type A = C;\n',
          "generator/catalog/c.ts": "export type C = 1;\n",
        },
        "system-imports",
      ],
      [
        {
          "generator/system/a.ts": 'export { d } from "./d.ts";\n',
          "generator/system/d.ts": 'export { a as d } from "./a.ts";\n',
        },
        "no-circle",
      ],
      [
        { "generator/system/a.ts": "export const a = 1;\n", "generator/other/e.ts": 'export { b } from "../catalog/b.ts";\n' },
        "every-file-in-a-room",
      ],
    ] as const) {
      writeTree(folder, files);
      await expect(cruise()).rejects.toThrow(rule);
    }
  });

  test("and calls in the modules that render files use no files, network, time, processes or random numbers", () => {
    const pure = sources.filter(
      (file) =>
        // Selects the folders and modules that render files. The pattern leaves out modules that read or write files.
        // Examples are the modules for the repository on disk, the plan of changes, and the transactions of identities.
        /^(components|mesh|spec|lint|diagnostics|catalog|kubernetes|inject|bundle\/(render|bundle)\.ts|bundle\/emit|commands\/profile\/proto\.ts|commands\/init\/(answers|scaffold|specs)\.ts)/.test(
          file,
        ) &&
        file !== "inject/krm/kustomize.ts" &&
        !file.endsWith(".generated.ts"),
    );
    expect(pure.length).toBeGreaterThan(40);
    for (const file of pure) {
      const text = readFileSync(join(projectRoot, "generator", file), "utf8");
      expect(
        text.match(
          /node:(fs|child_process|os|net|http|process|timers)|\bprocess\.|new Date|Date\.now|Math\.random|randomBytes|performance\./,
        )?.[0],
        file,
      ).toBeUndefined();
    }
  });
});

function roomOf(file: string): string {
  return file.split("/")[0] ?? "";
}

/** Returns the local files that a file imports, as paths relative to generator/. The result includes type imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(projectRoot, "generator", file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, path]) => normalize(join(dirname(file), path ?? "")));
}
