import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DoctorCheck } from "../../generator/commands/doctor/check.ts";
import { tools, versionIn } from "../../generator/commands/doctor/tools.ts";
import { isVersionAtLeast } from "../../generator/system/version.ts";
import { meshops } from "../support/cli.ts";
import { makePlatform, scratchFolder, writeTree } from "../support/platform.ts";
import { specText, testKeys } from "../support/specs.ts";

/*
 * Tests `meshops doctor` on simulated machines. A simulated machine is a home folder. The folder contains age keys, a
 * kubeconfig, programs that print a version, and a program `az` that prints an Azure account.
 */
const azure = { location: "westus2", resourceGroup: "rg", cluster: { name: "mesh" } };

async function doctor(
  machine: Readonly<Record<string, string>>,
  options: { spec?: object; keys?: string; root?: string } = {},
): Promise<{ code: number | null; checks: DoctorCheck[] }> {
  const home = scratchFolder("machine");
  writeTree(home, { ...machine, "keys.txt": options.keys ?? "" });
  for (const path of Object.keys(machine)) if (path.startsWith("bin/")) chmodSync(join(home, path), 0o755);
  const root = options.root ?? makePlatform({ test: specText({ ...options.spec }) });
  const env = {
    PATH: `${join(home, "bin")}:/bin-of-nobody`,
    HOME: home,
    KUBECONFIG: "",
    SOPS_AGE_KEY_FILE: join(home, "keys.txt"),
    MESHOPS_STATE: home,
  };
  const { code, stdout } = await meshops(root, ["doctor", "--output", "json"], { env });
  return { code, checks: JSON.parse(stdout) as DoctorCheck[] };
}

function program(text: string): string {
  return `#!/bin/sh\ncase "$*" in "account list"*) echo '[{"id":"1","name":"Acme","isDefault":true}]';; *) echo '${text}';; esac\n`;
}

function of(checks: readonly DoctorCheck[], topic: DoctorCheck["topic"], name: string): DoctorCheck | undefined {
  return checks.find((check) => check.topic === topic && check.name === name);
}

describe("doctor", () => {
  test("reports for each tool the installed version, the required version, and how to install the tool", async () => {
    const { code, checks } = await doctor({
      "bin/git": program("git version 2.39.5"),
      "bin/helm": program("v4.3.0"),
      "bin/sops": program("sops 3.8.1 (latest)"),
      "bin/kustomize": program("v5.8.1"),
    });
    // The exit code is 3, because no kubeconfig contains the cluster.
    expect(code).toBe(3);
    expect(of(checks, "tools", "git")).toMatchObject({ status: "ok", found: "2.39.5", fix: "" });
    expect(of(checks, "tools", "kustomize")).toMatchObject({ status: "ok", found: "5.8.1" });
    expect(of(checks, "tools", "helm")).toMatchObject({
      status: "missing",
      found: "version 4.3.0 is not supported; use version 3.8 or later, but earlier than 4",
      fix: expect.stringContaining("helm.sh"),
    });
    expect(of(checks, "tools", "sops")).toMatchObject({
      status: "missing",
      found: "version 3.8.1 is not supported; use version 3.9 or later",
    });
    expect(of(checks, "tools", "flux")).toMatchObject({ status: "missing", found: "not found; use version 2.7.0 or later" });
    // doctor does not check the Azure CLI, because no environment is on Azure.
    expect(of(checks, "tools", "az")).toBeUndefined();
  });

  test("a missing tool that meshops itself needs is an error", async () => {
    const { code, checks } = await doctor({});
    expect(of(checks, "tools", "git")).toMatchObject({ status: "error" });
    expect(code).toBe(3);
  });

  test("reports which files the available keys can decrypt", async () => {
    const git = { "bin/git": program("git version 2.39.5") };
    const both = `${testKeys.cluster.identity}\n${testKeys.admin.identity}\n`;
    const admin = await doctor(git, { keys: both, root: makePlatform({ test: specText() }) });
    expect(of(admin.checks, "keys", "test, Secrets")?.status).toBe("ok");
    expect(of(admin.checks, "keys", "test, signing keys")?.status).toBe("ok");
    const cluster = await doctor(git, { keys: testKeys.cluster.identity });
    expect(of(cluster.checks, "keys", "test, Secrets")).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/^\d files can be decrypted by age1/),
    });
    expect(of(cluster.checks, "keys", "test, signing keys")).toMatchObject({
      status: "missing",
      fix: expect.stringContaining("SOPS_AGE_KEY_FILE"),
    });
    const noKey = await doctor(git);
    expect(of(noKey.checks, "keys", "test, Secrets")).toMatchObject({
      status: "missing",
      found: expect.stringContaining("cannot be decrypted by any available key"),
    });
    const root = makePlatform({ test: specText() });
    for (const folder of ["environments/test", "overlays/test"]) rmSync(join(root, folder), { recursive: true });
    const fresh = await doctor(git, { root });
    expect(of(fresh.checks, "keys", "test, Secrets")).toMatchObject({
      status: "error",
      found: "no encrypted files yet",
      fix: "run meshops identity init test",
    });
  });

  test("checks the cluster's context in the kubeconfig, and the subscription of the Azure account", async () => {
    const git = { "bin/git": program("git version 2.39.5") };
    const nothing = await doctor(git, { spec: { azure } });
    expect(of(nothing.checks, "tools", "az")).toMatchObject({ status: "error" });
    expect(of(nothing.checks, "kubernetes", "test")).toMatchObject({
      status: "error",
      found: expect.stringContaining("kubeconfig not found at"),
    });
    expect(of(nothing.checks, "azure", "account")).toMatchObject({ status: "missing", found: "the Azure CLI is not installed" });
    for (const [answer, found, fix] of [
      ["echo '[]'", "the Azure CLI is not signed in", "run az login"],
      [
        "echo 'no module named azure' >&2; exit 1",
        "the Azure CLI failed: no module named azure",
        "run az account list to see the complete error",
      ],
    ] as const) {
      const { checks } = await doctor({ ...git, "bin/az": `#!/bin/sh\n${answer}\n` }, { spec: { azure } });
      expect(of(checks, "azure", "account")).toMatchObject({ status: "missing", found, fix });
    }
    const kubeconfig = { ".kube/config": "current-context: other\ncontexts: [{name: other}, {name: mesh}]\n" };
    const signedIn = await doctor({ ...git, ...kubeconfig, "bin/az": program('{"azure-cli": "2.91.0"}') }, { spec: { azure } });
    expect(of(signedIn.checks, "kubernetes", "test")).toMatchObject({
      status: "ok",
      found: expect.stringMatching(/^context mesh in/),
    });
    expect(of(signedIn.checks, "azure", "test")).toMatchObject({ status: "ok", found: "subscription Acme" });
    expect(of(signedIn.checks, "tools", "az")).toMatchObject({ status: "ok", found: "2.91.0" });
    const elsewhere = await doctor(
      { ...git, "bin/az": program("{}") },
      { spec: { azure: { ...azure, subscription: "00000000-0000-0000-0000-000000000001" } } },
    );
    expect(of(elsewhere.checks, "azure", "test")).toMatchObject({
      status: "missing",
      found: expect.stringContaining("cannot access subscription 0000"),
    });
  });

  test("reports why a kubeconfig cannot be read, and does not mention Azure for your own cluster", async () => {
    const git = { "bin/git": program("git version 2.39.5") };
    const broken = await doctor({ ...git, ".kube/config": "users: [{user: {token: secret}\n" });
    expect(of(broken.checks, "kubernetes", "test")).toMatchObject({
      status: "error",
      found: expect.stringMatching(/config is not valid YAML$/),
    });
    expect(JSON.stringify(broken.checks)).not.toContain("secret}");
    const nothing = await doctor(git);
    expect(of(nothing.checks, "kubernetes", "test")?.fix).toBe(
      "set KUBECONFIG to a kubeconfig that contains the context of the cluster, or add this context to the kubeconfig",
    );
  });

  test("reports a damaged key, and never prints it", async () => {
    const damaged = testKeys.admin.identity.replace(/.$/, (last) => (last === "Q" ? "P" : "Q"));
    const kubeconfig = "current-context: mesh\ncontexts: [{name: mesh}]\n";
    const files = { "bin/git": program("git version 2.39.5"), ".kube/config": kubeconfig };
    const { code, checks } = await doctor(files, { keys: damaged });
    expect(code).toBe(0);
    expect(of(checks, "keys", "available keys")).toMatchObject({ status: "missing", found: "1 age key is damaged" });
    expect(JSON.stringify(checks)).not.toMatch(/AGE-SECRET-KEY-1\w/);
  });

  test("reports only the tools and the error if a spec cannot be loaded", async () => {
    const root = makePlatform({ test: specText() });
    rmSync(join(root, "environments/test"), { recursive: true });
    rmSync(join(root, "overlays/test"), { recursive: true });
    writeTree(root, { "environments/test.yaml": specText({ linkerd: { version: "edge-1" } }) });
    const { checks } = await doctor({ "bin/git": program("git version 2.39.5") }, { root });
    expect(checks.filter(({ topic }) => topic !== "tools")).toEqual([
      expect.objectContaining({ topic: "specs", name: "test", status: "missing", found: expect.stringContaining("edge-1") }),
    ]);
    expect(of(checks, "tools", "az")).toBeDefined();
  });

  test("checks only the tools if it runs outside a repository", async () => {
    const { code, stdout } = await meshops(scratchFolder("nowhere"), ["doctor"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^tools\n {2}ok node/);
    expect(stdout).toContain("this folder is not a platform repository, so only the tools were checked");
  });
});

test("doctor finds the version in the output of each program", () => {
  expect(
    ["v20.20.2", "git version 2.39.5", "helmfile version v1.8.0", '{"clientVersion":{"gitVersion":"v1.36.3"}}', "dev"].map(
      versionIn,
    ),
  ).toEqual(["20.20.2", "2.39.5", "1.8.0", "1.36.3", null]);
  expect([
    isVersionAtLeast("3.9.0", "3.10"),
    isVersionAtLeast("3.10", "3.9"),
    isVersionAtLeast("4", "4"),
    isVersionAtLeast("3.22.0", "4"),
  ]).toEqual([false, true, true, false]);
  expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
});
