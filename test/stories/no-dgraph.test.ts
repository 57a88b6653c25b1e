import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { testsOf } from "../../generator/cluster/verify/tests.ts";
import { modelOf } from "../../generator/components/build.ts";
import { meshops } from "../support/cli.ts";
import { field } from "../support/objects.ts";
import { generateIn, makePlatform, scratchFolder } from "../support/platform.ts";
import { environmentOf, loadFiles, specText } from "../support/specs.ts";

/** A spec without Dgraph. The spec also contains settings for Dgraph that would be errors if Dgraph were enabled. */
const spec = { dgraph: { enabled: false, zero: { replicas: 2 }, alpha: { replicas: 1 } }, pydgraphClient: undefined };

test("an environment without Dgraph has no components, images, namespaces and tests of Dgraph", async () => {
  const model = modelOf(environmentOf(spec));
  const ids = ["namespaces", "identity", "linkerd-crds", "linkerd-control-plane", "linkerd-viz"];
  expect(model.components.map(({ id }) => id).sort()).toEqual(ids.sort());
  expect(testsOf(model).map(({ id }) => id)).toEqual(["M1", "M2", "M3", "M4", "M5", "M6", "M8"]);
  const root = makePlatform({ own: specText(spec, "own") });
  const generated = await meshops(root, ["generate", "own"]);
  expect(generated).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("own  Linkerd edge-26.8.3, single replicas\n"),
  });
  for (const command of [["images"], ["graph", "own"], ["bootstrap", "own"], ["teardown", "own"]]) {
    const { code, stdout } = await meshops(root, command);
    expect([command, code]).toEqual([command, 0]);
    expect(stdout, command.join(" ")).not.toMatch(/dgraph/i);
  }
});

test("rules about Dgraph apply only to environments with Dgraph", () => {
  expect(loadFiles({ test: specText(spec) }, "test").diagnostics).toEqual([]);
  const enabled = { ...spec, dgraph: { ...spec.dgraph, enabled: true }, pydgraphClient: { enabled: false } };
  const codes = loadFiles({ test: specText(enabled) }, "test").diagnostics.map(({ code }) => code);
  expect(codes).toEqual(["dgraph-zero-even", "dgraph-alpha-too-few"]);
});

test("verify without Dgraph needs no image", async () => {
  const root = makePlatform({ own: specText(spec, "own") });
  const { code, stderr } = await meshops(root, ["verify", "own", "--kubeconfig", "/nonexistent"]);
  expect(code).toBe(3);
  expect(stderr).not.toContain("image");
});

test("if the test client is disabled, verify --only refuses tests that need its image; without these tests, verify runs", async () => {
  const root = makePlatform({ own: specText({ ...spec, dgraph: {}, pydgraphClient: { enabled: false } }, "own") });
  const verify = (...args: string[]): ReturnType<typeof meshops> =>
    meshops(root, ["verify", "own", "--kubeconfig", "/nonexistent", ...args]);
  const refused = await verify("--only", "T1,M,D3");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("T1, D3 cannot run: the environment has no test client");
  for (const args of [[], ["--only", "M"], ["--only", "T1", "--image", "ghcr.io/acme/probe:1"]])
    expect(await verify(...args)).toMatchObject({ code: 3, stderr: expect.stringContaining("/nonexistent") });
});

test("init writes dgraph.enabled, and with --no-dgraph a repository without Dgraph", async () => {
  const work = scratchFolder("init");
  const base = (name: string): unknown => parse(readFileSync(join(work, name, "environments/base.yaml"), "utf8"));
  await meshops(work, ["init", "with", "--yes"]);
  expect(field(base("with"), "spec", "dgraph", "enabled")).toBe(true);
  await meshops(work, ["init", "without", "--yes", "--no-dgraph"]);
  expect(field(base("without"), "spec", "dgraph")).toEqual({ enabled: false });
  expect(field(base("without"), "spec", "pydgraphClient")).toBeUndefined();
  const readme = readFileSync(join(work, "without/README.md"), "utf8");
  expect(readme).not.toContain("Dgraph");
  expect(readme).toContain("npx meshops verify dev\n");
  expect(await meshops(work, ["init", "both", "--yes", "--no-dgraph", "--with-client"])).toMatchObject({ code: 2 });
});

test("if a user adds Dgraph later, generate adds only files of Dgraph", async () => {
  const root = makePlatform({ own: specText(spec, "own") });
  expect(await generateIn(root)).toBe(0);
  const values = (): string => readFileSync(join(root, "overlays/own/linkerd-control-plane/values.yaml"), "utf8");
  const before = values();
  writeFileSync(join(root, "environments/own.yaml"), specText({ pydgraphClient: { enabled: false } }, "own"));
  const { code, stdout } = await meshops(root, ["generate"]);
  expect(code).toBe(0);
  expect(stdout.match(/^create .*/gm)?.filter((line) => !/dgraph|service-profile/.test(line))).toEqual([]);
  expect(values()).toBe(before);
});
