import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { components } from "../../generator/components/registry.ts";
import { meshops } from "../support/cli.ts";
import { projectRoot } from "../support/tools.ts";

const sources = readdirSync(join(projectRoot, "generator"), { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);

describe("this repository", () => {
  test("holds the bundle that its specs say", async () => {
    expect(await meshops(projectRoot, ["generate", "--check"])).toMatchObject({ code: 0, stdout: "" });
  });

  test("has a folder for every component and lists them sorted", () => {
    const folders = readdirSync(join(projectRoot, "generator/components"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(components.map(({ name }) => name)).toEqual(folders.map(({ name }) => name).sort());
  });
});

/* ARCHITECTURE.md, "Where things live": each folder may import what stands after it here, and itself. */
const layers = [
  "cli.ts",
  "cli",
  "index.ts",
  "commands",
  "completion",
  "scaffold",
  "doctor",
  "krm",
  "graph",
  "workspace",
  "diff",
  "render.ts",
  "azure",
  "verify",
  "cluster",
  "inject",
  "review",
  "identity",
  "emit",
  "components",
  "mesh",
  "model.ts",
  "proto",
  "sops",
  "spec",
  "catalog",
];
/** Small things that anybody may use. */
const common = new Set(["colors.ts", "data.ts", "html.ts", "shell.ts", "text.ts", "user-error.ts", "version.ts"]);

describe("imports", () => {
  test("run one way", () => {
    const wrong = sources.flatMap((file) => {
      const from = layerOf(file);
      return importsOf(file)
        .map(layerOf)
        .filter((to) => from !== to && !common.has(to) && layers.indexOf(to) < layers.indexOf(from))
        .map((to) => `${file} imports ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  test("of what renders reach no file, clock, process or random number", () => {
    const pure = sources.filter(
      (file) =>
        [
          "render.ts",
          "emit",
          "components",
          "mesh",
          "proto",
          "spec",
          "catalog",
          "model.ts",
          "inject",
          "review",
          "krm",
          "scaffold",
        ].includes(layerOf(file)) && !file.endsWith(".generated.ts"),
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

function layerOf(file: string): string {
  return file.split("/")[0] ?? "";
}

/** Files that a file imports, types excepted: relative to generator/. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(projectRoot, "generator", file), "utf8");
  return [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)"/gm)].map(([, path]) =>
    normalize(join(dirname(file), path ?? "")),
  );
}
