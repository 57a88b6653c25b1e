import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { modelOf } from "../../generator/components/build.ts";
import { generatedObjects } from "../../generator/components/model.ts";
import { meshops } from "../support/cli.ts";
import { generateIn, makePlatform, readTree, writeTree } from "../support/platform.ts";
import { environmentOf, specText } from "../support/specs.ts";

let root: string;
const dev = (spec: Record<string, unknown> = {}): string => specText(spec, "dev");
const file = (path: string): string => readFileSync(join(root, path), "utf8");
const bundle = (): Record<string, string> =>
  Object.fromEntries(Object.entries(readTree(root)).filter(([path]) => /^(overlays|flux|helmfile|\.meshops)/.test(path)));

beforeEach(async () => {
  root = makePlatform({ dev: dev(), other: specText({}, "other") });
  expect(await generateIn(root)).toBe(0);
});

describe("a second run", () => {
  test("writes no files, keeps the modification time of every file, and --check passes", async () => {
    const before = bundle();
    const past = new Date("2020-01-01T00:00:00Z");
    for (const path of Object.keys(before)) utimesSync(join(root, path), past, past);
    expect(await generateIn(root)).toBe(0);
    expect(bundle()).toEqual(before);
    for (const path of Object.keys(before)) expect(statSync(join(root, path)).mtime, path).toEqual(past);
    expect(await generateIn(root, { check: true })).toBe(0);
  });

  test("in another folder writes identical files", async () => {
    const second = makePlatform({ dev: dev(), other: specText({}, "other") });
    expect(await generateIn(second)).toBe(0);
    expect(readTree(second)).toEqual(readTree(root));
  });
});

describe("--check", () => {
  test.each([
    [
      "a changed spec",
      () => writeTree(root, { "environments/dev.yaml": dev({ dgraph: { alpha: { replicas: 5 } } }) }),
      "update  overlays/dev/dgraph/values.yaml",
    ],
    ["a missing file", () => rmSync(join(root, "flux/dev/dgraph.yaml")), "create  flux/dev/dgraph.yaml"],
    [
      "a file edited by hand",
      () => writeFileSync(join(root, "overlays/dev/dgraph/values.yaml"), "alpha: {}\n"),
      "update  overlays/dev/dgraph/values.yaml (edited by hand)",
    ],
    [
      "a file that is no longer generated",
      () => writeTree(root, { "environments/dev.yaml": dev({ linkerd: { viz: { enabled: false } } }) }),
      "remove  flux/dev/linkerd-viz.yaml",
    ],
    ["a missing inventory", () => rmSync(join(root, ".meshops/dev.json")), "update  .meshops/dev.json"],
  ])("reports %s and writes no file", async (_, change, line) => {
    change();
    const before = readTree(root);
    const { code, stdout } = await meshops(root, ["generate", "--check"]);
    expect({ code, lines: stdout.split("\n") }).toMatchObject({ code: 1, lines: expect.arrayContaining([line]) });
    expect(stdout).toContain("fix: run meshops generate");
    expect(readTree(root)).toEqual(before);
  });
});

test("--check finds an edited file even if its hash in the inventory was also edited, and generate restores both", async () => {
  const path = "overlays/dev/dgraph/values.yaml";
  const right = file(path);
  const inventory = file(".meshops/dev.json");
  const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
  writeFileSync(join(root, path), `${right}# edited\n`);
  writeFileSync(join(root, ".meshops/dev.json"), inventory.replace(hash(right), hash(`${right}# edited\n`)));
  expect(file(".meshops/dev.json")).not.toBe(inventory);
  expect(await meshops(root, ["generate", "--check"])).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(new RegExp(`^update  ${path}\n.*\nfix: run meshops generate\n$`)),
  });
  expect(await generateIn(root)).toBe(0);
  expect([file(path), file(".meshops/dev.json")]).toEqual([right, inventory]);
});

test("--check does not report an outdated hash of the inputs in an inventory, because it compares only generated files", async () => {
  writeFileSync(join(root, "environments/dev.yaml"), `${file("environments/dev.yaml")}# a comment\n`);
  const before = file(".meshops/dev.json");
  expect(await generateIn(root, { check: true })).toBe(0);
  expect(await generateIn(root)).toBe(0);
  const lines = before.split("\n");
  const changed = file(".meshops/dev.json")
    .split("\n")
    .filter((line, index) => line !== lines[index]);
  expect(changed).toEqual([expect.stringMatching(/^ {2}"inputs": "[0-9a-f]{64}",$/)]);
});

describe("files that meshops did not generate", () => {
  test("are kept, even if they are in folders with generated files", async () => {
    writeTree(root, { "overlays/dev/dgraph/notes.md": "mine", "flux/dev/flux-system/gotk-sync.yaml": "flux's" });
    writeTree(root, { "environments/dev.yaml": dev({ dgraph: { release: "prod" } }) });
    expect(await generateIn(root)).toBe(0);
    expect([file("overlays/dev/dgraph/notes.md"), file("flux/dev/flux-system/gotk-sync.yaml")]).toEqual(["mine", "flux's"]);
  });

  test("are overwritten only with --force; without it, generate fails and writes no file", async () => {
    const fresh = makePlatform({ dev: dev() });
    writeTree(fresh, { "overlays/dev/dgraph/values.yaml": "mine\n" });
    const before = readTree(fresh);
    const { code, stderr } = await meshops(fresh, ["generate"]);
    expect(code).toBe(1);
    expect(stderr).toContain("overlays/dev/dgraph/values.yaml");
    expect(stderr).toContain("--force");
    expect(readTree(fresh)).toEqual(before);
    expect((await meshops(fresh, ["generate", "--force"])).code).toBe(0);
    expect((await meshops(fresh, ["generate", "--check"])).code).toBe(0);
  });

  test("encrypted Secrets of the identity are never changed", async () => {
    const path = "overlays/dev/identity/linkerd-identity-issuer.sops.yaml";
    const before = file(path);
    writeTree(root, { "environments/dev.yaml": dev({ linkerd: { version: "edge-25.10.7" } }) });
    expect(await generateIn(root, { force: true })).toBe(0);
    expect(file(path)).toBe(before);
  });
});

describe("files that are no longer generated", () => {
  const without = (): void => writeTree(root, { "environments/dev.yaml": dev({ linkerd: { viz: { enabled: false } } }) });

  test("are removed, together with folders that become empty", async () => {
    without();
    expect(await generateIn(root)).toBe(0);
    expect(existsSync(join(root, "overlays/dev/linkerd-viz"))).toBe(false);
    expect(existsSync(join(root, "flux/dev/linkerd-viz.yaml"))).toBe(false);
    expect(existsSync(join(root, "overlays/other/linkerd-viz/values.yaml"))).toBe(true);
  });

  test("are kept if a user edited them by hand", async () => {
    writeFileSync(join(root, "overlays/dev/linkerd-viz/values.yaml"), "edited: true\n");
    without();
    const { stdout } = await meshops(root, ["generate"]);
    expect(stdout).toContain(
      "keep    overlays/dev/linkerd-viz/values.yaml (edited by hand; meshops no longer generates this file)",
    );
    expect(file("overlays/dev/linkerd-viz/values.yaml")).toBe("edited: true\n");
    expect(existsSync(join(root, "overlays/dev/linkerd-viz/release.yaml"))).toBe(false);
    expect(await generateIn(root, { check: true })).toBe(0);
  });

  test("are removed together with their environment, but the identity of the environment is kept", async () => {
    rmSync(join(root, "environments/other.yaml"));
    expect(await generateIn(root)).toBe(0);
    expect(Object.keys(bundle()).filter((path) => path.includes("other") && !path.includes("identity/"))).toEqual([]);
    expect(existsSync(join(root, "overlays/other/identity/linkerd-identity-issuer.sops.yaml"))).toBe(true);
    expect(file("helmfile.yaml")).not.toContain("other");
  });

  test.each([
    "victim.txt",
    "../victim.txt",
    "overlays/dev/../../victim.txt",
    "environments/dev.yaml",
    "overlays/other/dgraph/values.yaml",
    "overlays/dev/identity/tap-k8s-tls.sops.yaml",
  ])("are not removed if they do not belong to the environment of the inventory that lists them: %s", async (path) => {
    writeTree(root, { "victim.txt": "mine" });
    const claimed = readFileSync(join(root, path.replace(/^\.\.\//, "")));
    const hash = createHash("sha256").update(claimed).digest("hex");
    const before = bundle();
    for (const owner of ["dev", "gone"])
      writeTree(root, { [`.meshops/${owner}.json`]: JSON.stringify({ files: { [path]: hash } }) });
    expect(await generateIn(root, { force: true })).toBe(0);
    expect(bundle()).toEqual(before);
    expect(file("victim.txt")).toBe("mine");
    expect(existsSync(join(root, "environments/dev.yaml"))).toBe(true);
  });
});

describe("generate with one environment", () => {
  test("does not change other environments, and keeps all environments in the root helmfile", async () => {
    writeTree(root, {
      "environments/dev.yaml": dev({ dgraph: { release: "prod" } }),
      "environments/other.yaml": specText({ dgraph: { release: "prod" } }, "other"),
    });
    const before = bundle();
    expect(await generateIn(root, {}, ["dev"])).toBe(0);
    const after = bundle();
    const changed = Object.keys(after).filter((path) => after[path] !== before[path]);
    expect(changed.every((path) => path.includes("/dev"))).toBe(true);
    expect(changed.length).toBeGreaterThan(2);
    expect(file("helmfile.yaml")).toContain("overlays/other/helmfile.yaml");
  });

  test("succeeds even if another environment is invalid", async () => {
    writeTree(root, { "environments/other.yaml": "nonsense: [" });
    expect(await generateIn(root, {}, ["dev"])).toBe(0);
    expect(await generateIn(root)).toBe(1);
  });

  test("rejects an abstract base", async () => {
    writeTree(root, { "environments/base.yaml": specText({ abstract: true }, "base") });
    const { code, stderr } = await meshops(root, ["generate", "base"]);
    expect(code).toBe(2);
    expect(stderr).toContain('environment "base" is abstract');
  });
});

test("the ports of Dgraph's clients are names or numbers", () => {
  const policies = (ports: (string | number)[]): unknown =>
    generatedObjects(
      modelOf(environmentOf({ dgraph: { clients: [{ namespace: "web", serviceAccount: "web", ports }] } })).components,
    );
  expect(policies([8080])).toEqual(policies(["http"]));
  expect(policies([8080])).not.toEqual(policies([9080]));
});

test("--stdout prints the bundle as one YAML stream and writes nothing", async () => {
  const fresh = makePlatform({ dev: dev() });
  const before = readTree(fresh);
  const { code, stdout } = await meshops(fresh, ["generate", "--stdout"]);
  expect(code).toBe(0);
  expect(stdout).toContain("---\n# Source: flux/dev/dgraph.yaml\n");
  expect(readTree(fresh)).toEqual(before);
});
