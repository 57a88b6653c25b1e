import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { meshops, meshopsProcess } from "../support/cli.ts";
import { type Frozen, thaw } from "../support/frozen.ts";
import { makePlatform, readTree, writeTree } from "../support/platform.ts";
import { specText } from "../support/specs.ts";

const slow = process.env["SLOW"] === "1" ? 10 : 1;

/**
 * Returns a copy of a frozen repository that was updated to the current meshops. The copy has new webhook keys and
 * newly generated files.
 */
async function platform(): Promise<Frozen> {
  const frozen = await thaw("1e5175a");
  for (const name of ["dev", "production", "own"])
    await meshops(frozen.root, ["identity", "rotate-webhooks", name], { env: frozen.env });
  expect((await meshops(frozen.root, ["generate"], { env: frozen.env })).code).toBe(0);
  return frozen;
}

const patterns = (root: string): string[] =>
  (parse(readFileSync(join(root, ".sops.yaml"), "utf8")) as { creation_rules: { path_regex: string }[] }).creation_rules.map(
    ({ path_regex: pattern }) => pattern,
  );

describe("env add", () => {
  test("writes a spec that extends base, and prints the commands that make the environment valid", async () => {
    const { root, env } = await thaw("1e5175a");
    const here = (...args: string[]): ReturnType<typeof meshops> => meshops(root, args, { env });
    const added = await here("env", "add", "staging");
    expect(added).toMatchObject({ code: 0, stderr: "" });
    expect(added.stdout).toMatch(
      /^create {2}environments\/staging\.yaml\n\nnext:\n {2}meshops identity keygen staging --write\n/,
    );
    expect(parse(readFileSync(join(root, "environments/staging.yaml"), "utf8"))).toMatchObject({
      metadata: { name: "staging" },
      spec: { extends: "base", azure: { cluster: { name: "platform-staging" } } },
    });
    const keys = join(root, "../keys.txt");
    const fresh = { ...env, SOPS_AGE_KEY_FILE: keys };
    expect((await meshops(root, ["identity", "keygen", "staging", "--write"], { env: fresh })).code).toBe(0);
    expect((await meshops(root, ["identity", "init", "staging"], { env: fresh })).code).toBe(0);
    expect((await meshops(root, ["validate", "staging"], { env: fresh })).code).toBe(0);
  });

  test.each([
    [["env", "add", "dev"], "environments/dev.yaml already exists"],
    [["env", "add", "Staging"], '"Staging" is not a valid environment name'],
    [
      ["env", "add", "staging", "--extends", "bse"],
      "the new spec cannot extend environments/bse.yaml, because this file does not exist",
    ],
  ])("%j is a usage error", async (args, message) => {
    const root = makePlatform({ dev: specText({}, "dev") });
    const before = readTree(root);
    expect(await meshops(root, args)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(message) });
    expect(readTree(root)).toEqual(before);
  });
});

describe("env rename", () => {
  test("renames the spec, the identity, its rules in .sops.yaml and the generated files, and prints the steps for the cluster", async () => {
    const { root, env } = await platform();
    const here = (...args: string[]): ReturnType<typeof meshops> => meshops(root, args, { env });
    writeTree(root, {
      "flux/own/flux-system/gotk-sync.yaml": "kind: Kustomization\nspec:\n  path: ./flux/own\n",
      "flux/own/flux-system/gotk-components.yaml": "# components\n",
    });
    const before = readTree(root);
    const renamed = await here("env", "rename", "own", "lab");
    expect(readFileSync(join(root, "flux/lab/flux-system/gotk-sync.yaml"), "utf8")).toContain("path: ./flux/lab\n");
    expect(renamed.code, renamed.stderr).toBe(0);
    expect(renamed.stderr).not.toContain("error");
    expect(renamed.stdout).toMatch(
      /renamed own to lab\n\nnext:\n {2}1\. Commit and push\.\n {7}git add --all .*\n {2}2\. Change the path of Flux's root[\s\S]* {7}MESHOPS_TAKE_OVER=yes meshops bootstrap lab --run/,
    );
    const after = readTree(root);
    const moved = (path: string): string => path.replace(/^(environments|overlays|flux|\.meshops)\/own\b/, "$1/lab");
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).map(moved).sort());
    for (const [path, text] of Object.entries(before))
      if (/identity\/[^/]+\.(crt|sops\.yaml)$/.test(path)) expect(after[moved(path)], path).toBe(text);
    expect(patterns(root).filter((pattern) => pattern.includes("/own/"))).toEqual([]);
    expect(patterns(root).filter((pattern) => pattern.includes("/lab/"))).toHaveLength(2);
    expect(await here("validate")).toMatchObject({ code: 0, stdout: expect.stringContaining("21 encrypted files decrypted") });
    expect((await here("generate", "--check")).code).toBe(0);
    expect((await here("env", "rename", "own", "lab")).code).toBe(2);
  });

  test("if another environment is invalid, the same command completes the rename after the correction", async () => {
    const root = makePlatform({ own: specText({}, "own"), other: specText({ unknown: 1 }, "other") });
    const failed = await meshops(root, ["env", "rename", "own", "lab"]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(
      /the rename is not complete: correct the findings, and run meshops env rename own lab again\n$/,
    );
    rmSync(join(root, "environments/other.yaml"));
    expect(await meshops(root, ["env", "rename", "own", "lab"])).toMatchObject({ code: 0 });
    expect(existsSync(join(root, "environments/own"))).toBe(false);
  });

  test("updates the specs that extend the renamed environment, and prints the commands for the tags in Azure", async () => {
    const azure = {
      location: "westus2",
      resourceGroup: "mesh",
      registry: { name: "meshregistry" },
      cluster: { name: "mesh" },
    };
    const root = makePlatform({ dev: specText({ azure }, "dev") });
    writeTree(root, {
      "environments/child.yaml": readFileSync(join(root, "environments/dev.yaml"), "utf8")
        .replace("name: dev", "name: child")
        .replace(/spec:[\s\S]*/, "spec:\n  extends: dev\n  abstract: true\n"),
    });
    const renamed = await meshops(root, ["env", "rename", "dev", "lab"]);
    expect(renamed).toMatchObject({ code: 0 });
    expect(readFileSync(join(root, "environments/child.yaml"), "utf8")).toContain("extends: lab");
    // The cluster and the registry need the new tag, because teardown compares this tag with the name of the
    // environment. teardown does not compare the tag of the resource group.
    for (const resource of ["az aks show", "az acr show", "az group show"])
      expect(renamed.stdout).toContain(
        `       az tag update --operation merge --tags environment=lab --resource-id "$(${resource} --name `,
      );
    const text = renamed.stdout.replace(/\s+/g, " ");
    for (const resource of ["cluster", "registry"])
      expect(text).toContain(`meshops teardown deletes the ${resource} only if this tag is the name of the environment.`);
    expect(text).toContain('set the tag "environment" of the resource group to lab. az tag update');
    // No cluster runs an abstract environment, so the only printed step is the commit.
    const { stdout } = await meshops(root, ["env", "rename", "child", "parent"]);
    expect(stdout).toMatch(/renamed child to parent\n\nnext:\n {2}1\. Commit and push\.\n {7}git add .*\n$/);
  });

  test("also moves files that a user added to flux/<environment>, because Flux would delete all components if only these files remained", async () => {
    const { root, env } = await platform();
    const own = "flux/own/cert-manager.yaml";
    writeTree(root, { [own]: "# flux/own stays in files of the user\nkind: Kustomization\n" });
    const text = readFileSync(join(root, own), "utf8");
    expect((await meshops(root, ["env", "rename", "own", "lab"], { env })).code).toBe(0);
    expect(existsSync(join(root, "flux/own"))).toBe(false);
    expect(readFileSync(join(root, "flux/lab/cert-manager.yaml"), "utf8")).toBe(text);
  });

  test(`is completed by the same command if it was killed at any moment (${4 * slow} kills)`, async () => {
    for (let index = 0; index < 4 * slow; index += 1) {
      const { root, env } = await platform();
      await meshopsProcess(root, ["env", "rename", "own", "lab"], { env, killAfterMs: 250 + (700 * index) / (4 * slow) });
      const finished = await meshops(root, ["env", "rename", "own", "lab"], { env });
      // If the run had made its last change before it was killed, there is nothing to complete.
      if (finished.code !== 0) expect(finished.stderr).toContain('environment "own" does not exist');
      expect(Object.keys(readTree(root)).filter((path) => /\/own[./]/.test(path))).toEqual([]);
      expect((await meshops(root, ["validate"], { env })).code).toBe(0);
      expect((await meshops(root, ["generate", "--check"], { env })).code).toBe(0);
    }
  });
});

describe("env remove", () => {
  test("fails if it cannot check whether the cluster still runs the environment; --force keeps the encrypted files, --purge deletes them", async () => {
    const { root, env: keys } = await platform();
    const env = { ...keys, KUBECONFIG: "/nowhere", HOME: root };
    const here = (...args: string[]): ReturnType<typeof meshops> => meshops(root, args, { env });
    const before = readTree(root);
    expect(await here("env", "remove", "own")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /cannot check whether own is still deployed: .*\nfix: if you know that the environment is no longer deployed/,
      ),
    });
    expect(readTree(root)).toEqual(before);
    const removed = await here("env", "remove", "own", "--force");
    expect(removed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("certificates and encrypted files of own are kept:\n"),
    });
    expect(existsSync(join(root, "environments/own.yaml"))).toBe(false);
    expect(existsSync(join(root, "flux/own"))).toBe(false);
    expect(existsSync(join(root, "environments/own/identity/trust-anchor.sops.yaml"))).toBe(true);
    expect(await here("env", "remove", "own", "--purge")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("because environments/own.yaml does not exist"),
    });
    expect(await here("env", "remove", "own", "--purge", "--force")).toMatchObject({ code: 0 });
    expect(Object.keys(readTree(root)).filter((path) => /(^|\/)own[./]/.test(path))).toEqual([]);
    expect(patterns(root).filter((pattern) => pattern.includes("/own/"))).toEqual([]);
    expect((await here("generate", "--check")).code).toBe(0);
    expect(await here("env", "remove", "own")).toMatchObject({ code: 2 });
  });

  test(`is completed by the same command if it was killed at any moment (${4 * slow} kills)`, async () => {
    for (let index = 0; index < 4 * slow; index += 1) {
      const { root, env } = await platform();
      const command = ["env", "remove", "own", "--force", "--purge"];
      await meshopsProcess(root, command, { env, killAfterMs: 250 + (700 * index) / (4 * slow) });
      const finished = await meshops(root, command, { env });
      // If the killed run had already made its last change, there is nothing to complete.
      if (finished.code !== 0) expect(finished.stderr).toContain('environment "own" does not exist');
      expect(Object.keys(readTree(root)).filter((path) => /(^|\/)own[./]/.test(path))).toEqual([]);
      expect((await meshops(root, ["generate", "--check"], { env })).code).toBe(0);
    }
  });

  test("fails if other specs extend the spec", async () => {
    const { root, env } = await thaw("1e5175a");
    expect(await meshops(root, ["env", "remove", "base", "--force"], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        "other specs extend base: environments/dev.yaml, environments/own.yaml, environments/production.yaml\nfix: first change spec.extends in these specs",
      ),
    });
  });
});
