import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withAzureCli } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { callsOf } from "./az.ts";
import { type Ended, makeSite, printedScript, runScript, type Site } from "./platform.ts";
import { account, type Resource, State } from "./state.ts";

withAzureCli("teardown with the real az against a stand-in for Azure", () => {
  let site: Site;
  let up: string;
  let down: string;
  let downAll: string;
  /**
   * Result of one bootstrap: the resources in Azure, the path of the file that contains the objects in the cluster
   * (written by kubectl.py), and the calls of az.
   */
  let made: { azure: State; objects: string; calls: readonly string[][] };
  const yes = { words: ["--yes"] };
  const slow = process.env["SLOW"] === "1";

  beforeAll(async () => {
    site = await makeSite();
    up = await printedScript(site, "bootstrap");
    down = await printedScript(site, "teardown");
    downAll = await printedScript(site, "teardown", "--group");
    const objects = join(scratchFolder("cluster"), "state");
    const ended = await bootstrap({ KUBECTL_STATE: objects });
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    made = { azure: site.cloud.state.copy(), objects, calls: ended.calls };
  });
  afterAll(() => site.stop());

  const names = (): string[] =>
    [...site.cloud.state.resources.values()].map(({ type, name }) => (type.endsWith("roleAssignments") ? "role" : name)).sort();
  const bootstrap = (env: Record<string, string>): Promise<Ended> => {
    site.cloud.state = new State();
    return runScript(site, up, { env });
  };
  /**
   * Restores the state at the end of the bootstrap. Returns environment variables with which kubectl.py uses this
   * state.
   */
  const bootstrapped = (): Record<string, string> => {
    site.cloud.state = made.azure.copy();
    const state = join(scratchFolder("cluster"), "state");
    copyFileSync(made.objects, state);
    return { KUBECTL_STATE: state };
  };

  test("if stdin is not a terminal and --yes is missing, teardown deletes nothing", async () => {
    const env = bootstrapped();
    const before = names();
    const ended = await runScript(site, down, { env });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("stdin is not a terminal, so the deletion cannot be confirmed");
    expect(names()).toEqual(before);
  });

  test("deletes the cluster and the role assignment, and keeps the registry and the resource group; a second run changes nothing", async () => {
    const env = bootstrapped();
    const ended = await runScript(site, down, { ...yes, env });
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(names()).toEqual(["platform", "platform1"]);
    expect(ended.stderr).toContain("resources that remain in resource group platform");
    expect(ended.stderr).toContain("Microsoft.ContainerRegistry/registries platform1");
    expect(existsSync(join(site.env["HOME"] ?? "", ".local/state/meshops/dev/kubeconfig"))).toBe(false);
    const again = await runScript(site, down, { ...yes, env });
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(names()).toEqual(["platform", "platform1"]);
  });

  test.each([
    "get crd",
    "get kustomization.* --output name",
    "delete kustomization.* flux-system",
    "delete gitrepository",
    "get pods",
  ])("if kubectl cannot delete the objects in the cluster (%s fails), teardown still deletes the cluster", async (call) => {
    const ended = await runScript(site, down, { ...yes, env: { ...bootstrapped(), KUBECTL_FAIL: call } });
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain("(deleting the cluster also deletes all objects in it): Error from server (Forbidden)");
    expect(names()).toEqual(["platform", "platform1"]);
  });

  const disk = (name: string): Resource => ({
    id: `/subscriptions/${account.subscription}/resourceGroups/platform/providers/Microsoft.Compute/disks/${name}`,
    name,
    type: "Microsoft.Compute/disks",
    location: "westus2",
    properties: {},
  });

  test("--group deletes nothing while the group contains an unrelated resource, and deletes everything after the resource is gone", async () => {
    const env = bootstrapped();
    const theirs = site.cloud.state.put(disk("theirs"));
    const before = names();
    const ended = await runScript(site, downAll, { ...yes, env });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("Microsoft.Compute/disks theirs");
    expect(ended.stderr).toContain(
      "fix: to delete the resource group and all these resources, run az group delete --name platform",
    );
    expect(names()).toEqual(before);
    site.cloud.state.remove(theirs.id);
    const whole = await runScript(site, downAll, { ...yes, env });
    expect(whole, whole.stderr).toMatchObject({ code: 0 });
    expect(names()).toEqual([]);
    expect((await runScript(site, downAll, { ...yes, env })).code).toBe(0);
  });

  test("a registry that belongs to another environment is not deleted", async () => {
    const env = bootstrapped();
    const registry = [...site.cloud.state.resources.values()].find(({ type }) => type.endsWith("/registries"));
    site.cloud.state.put({ ...(registry as Resource), tags: { environment: "production" } });
    const before = names();
    expect(await runScript(site, downAll, { ...yes, env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("registry platform1 does not have the tag environment=dev"),
    });
    expect(names()).toEqual(before);
  });

  test("if Azure forbids a call, teardown stops and does not treat the resource as missing; a second run deletes everything", async () => {
    const { calls } = await runScript(site, downAll, { ...yes, env: bootstrapped() });
    const lines = [
      ...new Set(calls.filter(([group]) => group !== "account").map((call) => JSON.stringify(call).replace(/","/g, '", "'))),
    ];
    expect(lines.length).toBeGreaterThan(6);
    const log = site.env["AZ_LOG"] ?? "";
    for (const line of lines.filter((_, index) => slow || index % 2 === 0)) {
      const env = bootstrapped();
      const begun = callsOf(site.env).length;
      site.cloud.watch = ({ call }) =>
        call !== null && call >= begun && readFileSync(log, "utf8").split("\n")[call] === line ? "forbidden" : null;
      const refused = await runScript(site, downAll, { ...yes, env });
      site.cloud.watch = () => null;
      // If teardown cannot get the credentials of the cluster, teardown cannot delete the objects in the cluster. It
      // continues, because the deletion of the cluster also deletes these objects.
      if (!line.includes("get-credentials")) expect(refused.code, `${line}\n${refused.stderr}`).not.toBe(0);
      site.cloud.state.settle();
      expect((await runScript(site, downAll, { ...yes, env })).code).toBe(0);
      expect(names()).toEqual([]);
    }
  }, 300_000);

  test("teardown removes everything that an interrupted bootstrap has created", async () => {
    const steps = [
      ["acr", "create"],
      ["aks", "create"],
      ...(slow
        ? [
            ["group", "create"],
            ["role", "assignment"],
          ]
        : []),
    ];
    for (const last of steps) {
      const line = made.calls.find((call) => last.every((word, index) => call[index] === word && call.includes("create")));
      const env = { KUBECTL_STATE: join(scratchFolder("cluster"), "state") };
      const killed = await bootstrap({ ...env, AZ_KILL_AFTER: JSON.stringify(line).replace(/","/g, '", "') });
      expect(killed.code).toBeNull();
      site.cloud.state.settle();
      const ended = await runScript(site, downAll, { ...yes, env });
      expect(ended, ended.stderr).toMatchObject({ code: 0 });
      expect(names()).toEqual([]);
    }
    expect(site.cloud.unknown).toEqual([]);
  });
});
