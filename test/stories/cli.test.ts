import { readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { meshops } from "../support/cli.ts";
import { makePlatform, scratchFolder, writeTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";
import { projectRoot, run } from "../support/tools.ts";

let root: string;

beforeAll(() => {
  const azureOf = (name: string): object => ({ location: "westus2", resourceGroup: name, cluster: { name } });
  root = makePlatform({
    own: specText({ linkerd: { version: "edge-25.4.4", jaeger: { enabled: true } } }, "own"),
    azure: specText(
      { azure: { ...azureOf("test"), registry: { name: "Mirror1" } }, linkerd: { viz: { grafana: true } } },
      "azure",
    ),
    mirrored: specText(
      {
        azure: { ...azureOf("mirrored"), registry: { name: "Mirror1", mirrorImages: true } },
        linkerd: { jaeger: { enabled: true } },
      },
      "mirrored",
    ),
  });
});

describe("exit codes and streams", () => {
  test.each([
    [["validate"], 0, "3 environments checked: 4 warnings\n", ""],
    [["validate", "azur"], 2, 'did you mean "azure"?', ""],
    [["validate", "azur", "-o", "json"], 2, '"code": "environment-unknown"', ""],
    [["generate", "azur"], 2, "", 'meshops: environment "azur" does not exist\nfix: did you mean "azure"?'],
    [["status", "azur"], 2, "", 'environment "azur" does not exist'],
    [["validate", "-o", "xml"], 2, "", "Allowed choices are text, json"],
    [["frobnicate"], 2, "", 'meshops: unknown command "frobnicate"'],
    [["generate", "--frobnicate"], 2, "", "unknown option"],
    [["--version"], 0, "0.2.0\n", ""],
    [["--help"], 0, "Commands:", ""],
    [["-C", "/", "generate"], 3, "", "meshops: / has no folder environments/\nfix: "],
    [
      ["images", "own", "--mirror"],
      1,
      "",
      "meshops: environment own has no registry for mirrored images\nfix: set spec.azure.registry.name, or set spec.registry.host and spec.registry.images: mirror\n",
    ],
  ])("meshops %j exits %d", async (args, code, stdout, stderr) => {
    const result = await meshops(root, args);
    expect(result).toMatchObject({ code, stdout: expect.stringContaining(stdout), stderr: expect.stringContaining(stderr) });
    if (stdout === "") expect(result.stdout).toBe("");
  });

  test("a closed stdout pipe is not an error", async () => {
    expect(await run("sh", ["-c", `node "${projectRoot}dist/cli.js" -C "${root}" generate --stdout azure 2>&1 | head -1`])).toBe(
      "---\n",
    );
    expect(
      await run("sh", [
        "-c",
        `{ node "${projectRoot}dist/cli.js" -C "${root}" generate --stdout azure | head -1 >/dev/null; } 2>&1`,
      ]),
    ).toBe("");
  });

  test("generate writes an empty helmfile in a folder without specs", async () => {
    const empty = scratchFolder("empty");
    writeTree(empty, { "environments/.keep": "" });
    expect(await meshops(empty, ["generate"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^create {2}helmfile.yaml\ngenerated files of 0 environments /),
    });
    expect(await meshops(empty, ["generate", "--check"])).toMatchObject({ code: 0, stdout: "1 file up to date\n" });
  });

  test("if the disk is full, meshops does not report a bug", async () => {
    const script = `node "${projectRoot}dist/cli.js" -C "${root}" images own 2>&1 >/dev/full; echo "exit $?"`;
    expect(await run("sh", ["-c", script])).toMatch(/^meshops: ENOSPC.*\nexit 1\n$/);
  });

  test("an abstract base cannot be generated and has no images", async () => {
    writeTree(root, { "environments/base.yaml": specText({ abstract: true }, "base") });
    for (const command of ["generate", "images"])
      expect(await meshops(root, [command, "base"])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('environment "base" is abstract'),
      });
    rmSync(join(root, "environments/base.yaml"));
  });

  test("mutually exclusive options are rejected", async () => {
    for (const args of [
      ["generate", "--check", "--stdout"],
      ["generate", "--stdout", "-o", "json"],
      ["images", "--mirror", "-o", "json"],
    ])
      expect((await meshops(root, args)).code).toBe(2);
  });

  test("generate reports its changes in JSON", async () => {
    const fresh = makePlatform({ dev: specText({}, "dev") });
    const [dev, ownRoot] = JSON.parse((await meshops(fresh, ["generate", "-o", "json"])).stdout) as {
      owner: string;
      unchanged: number;
      changes: object[];
    }[];
    expect(dev).toMatchObject({ owner: "dev", unchanged: 0 });
    expect(dev?.changes).toContainEqual({ path: "overlays/dev/dgraph/values.yaml", action: "create", edited: false });
    expect(ownRoot).toEqual({
      owner: "_root",
      unchanged: 0,
      changes: [{ path: "helmfile.yaml", action: "create", edited: false }],
    });
  });
});

describe("images", () => {
  test("without a mirror, all images have the upstream names", async () => {
    const { stdout } = await meshops(root, ["images", "own"]);
    expect(stdout.trim().split("\n")).toEqual([
      "cr.l5d.io/linkerd/controller:edge-25.4.4",
      "cr.l5d.io/linkerd/debug:edge-25.4.4",
      "cr.l5d.io/linkerd/jaeger-webhook:edge-25.4.4",
      "cr.l5d.io/linkerd/metrics-api:edge-25.4.4",
      "cr.l5d.io/linkerd/policy-controller:edge-25.4.4",
      "cr.l5d.io/linkerd/proxy-init:v2.4.2",
      "cr.l5d.io/linkerd/proxy:edge-25.4.4",
      "cr.l5d.io/linkerd/tap:edge-25.4.4",
      "cr.l5d.io/linkerd/web:edge-25.4.4",
      "docker.io/dgraph/dgraph:v24.1.4",
      "docker.io/jaegertracing/all-in-one:1.31",
      "docker.io/otel/opentelemetry-collector-contrib:0.83.0",
      "docker.io/prom/prometheus:v2.55.1",
      "ghcr.io/acme/pydgraph-client:1.0.0",
    ]);
  });

  test("with a mirror, all images have names in the mirror, including third-party images", async () => {
    const { stdout } = await meshops(root, ["images", "mirrored"]);
    const images = stdout.trim().split("\n");
    expect(images).toContain("mirror1.azurecr.io/jaegertracing/jaeger:2.20.0");
    expect(images.every((image) => image.startsWith("mirror1.azurecr.io/"))).toBe(true);
    expect(images.length).toBeGreaterThan(8);
  });

  test("--mirror prints import commands that can be run repeatedly", async () => {
    const { stdout } = await meshops(root, ["images", "azure", "--mirror"]);
    expect(stdout).toContain(
      "az acr import --name Mirror1 --source cr.l5d.io/linkerd/proxy:edge-26.8.3 --image linkerd/proxy:edge-26.8.3 --force\n",
    );
    expect(stdout).toContain(
      "az acr import --name Mirror1 --source docker.io/grafana/grafana:13.2.0 --image grafana/grafana:13.2.0 --force\n",
    );
  });

  test("the JSON output contains the component, the target and the source of each image", async () => {
    const rows = JSON.parse((await meshops(root, ["images", "mirrored", "-o", "json"])).stdout) as Record<string, string>[];
    expect(rows).toContainEqual({
      environment: "mirrored",
      component: "dgraph",
      target: "mirror1.azurecr.io/dgraph/dgraph:v24.1.4",
      source: "docker.io/dgraph/dgraph:v24.1.4",
    });
  });
});

test("at startup, the command line loads only the argument parser and the color library", () => {
  const packages = new Set<string>();
  const files = new Set<string>();
  const load = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const from of importsIn(file))
      if (from.startsWith(".")) load(join(dirname(file), from));
      else if (!from.startsWith("node:")) packages.add(from);
  };
  load("dist/cli.js");
  // The binary turns on Node's compile cache, and only then imports the command line.
  const [main = ""] = /(?<=await import\(")[^"]+/.exec(readFileSync(join(projectRoot, "dist/cli.js"), "utf8")) ?? [];
  load(join("dist", main));
  expect([...packages].sort()).toEqual(["commander", "picocolors"]);
  const bytes = [...files].reduce((sum, file) => sum + statSync(join(projectRoot, file)).size, 0);
  expect(bytes).toBeLessThan(40_000);
});

/** Returns the modules that a file of dist/ imports when it is loaded. */
function importsIn(file: string): string[] {
  const text = readFileSync(join(projectRoot, file), "utf8");
  return [...text.matchAll(/^(?:import|\} from|import .* from) ?"([^"]+)";$/gm)].map(([, from = ""]) => from);
}

test("entry points do not use import.meta, because the folder of a bundled file is not the folder of its source file", () => {
  for (const file of ["cli.js", "index.js"])
    expect(readFileSync(join(projectRoot, "dist", file), "utf8")).not.toContain("import.meta");
});
