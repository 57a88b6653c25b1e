import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withAzureCli } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { type Ended, makeSite, printedScript, runScript, type Site } from "./platform.ts";
import { account, State } from "./state.ts";

withAzureCli("teardown with the real az against a stand-in for Azure", () => {
  let site: Site;
  let up: string;
  let down: string;
  let downAll: string;
  const yes = { words: ["--yes"] };

  beforeAll(async () => {
    site = await makeSite();
    up = await printedScript(site, "bootstrap");
    down = await printedScript(site, "teardown");
    downAll = await printedScript(site, "teardown", "--group");
  });
  afterAll(() => site.stop());

  const names = (): string[] =>
    [...site.cloud.state.resources.values()].map(({ type, name }) => (type.endsWith("roleAssignments") ? "role" : name)).sort();
  const bootstrapped = async (env: Record<string, string> = {}): Promise<Ended> => {
    site.cloud.state = new State();
    return runScript(site, up, { env: { KUBECTL_STATE: join(scratchFolder("cluster"), "state"), ...env } });
  };

  test("nobody there to confirm: nothing is deleted", async () => {
    expect((await bootstrapped()).code).toBe(0);
    const before = names();
    const ended = await runScript(site, down);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("nobody is there to confirm it");
    expect(names()).toEqual(before);
  });

  test("cluster and right go, registry and group stay and are told; once more finds nothing to do", async () => {
    const ended = await runScript(site, down, yes);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(names()).toEqual(["platform", "platform1"]);
    expect(ended.stderr).toContain("what remains in resource group platform");
    expect(ended.stderr).toContain("Microsoft.ContainerRegistry/registries platform1");
    expect(existsSync(join(site.env["HOME"] ?? "", ".local/state/meshops/dev/kubeconfig"))).toBe(false);
    const again = await runScript(site, down, yes);
    expect(again, again.stderr).toMatchObject({ code: 0 });
    expect(names()).toEqual(["platform", "platform1"]);
  });

  test("the group is not deleted while it holds what is somebody else's", async () => {
    const id = `/subscriptions/${account.subscription}/resourceGroups/platform/providers/Microsoft.Compute/disks/theirs`;
    site.cloud.state.put({ id, name: "theirs", type: "Microsoft.Compute/disks", location: "westus2", properties: {} });
    const ended = await runScript(site, downAll, yes);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("Microsoft.Compute/disks theirs");
    expect(ended.stderr).toContain("hint: if all of that may go: az group delete --name platform");
    expect(names()).toContain("theirs");
    site.cloud.state.remove(id);
    expect((await runScript(site, downAll, yes)).code).toBe(0);
    expect(names()).toEqual([]);
    expect((await runScript(site, downAll, yes)).code).toBe(0);
  });

  test("a half-finished bootstrap is taken down whole", async () => {
    const { calls } = await bootstrapped();
    for (const last of [
      ["group", "create"],
      ["acr", "create"],
      ["aks", "create"],
      ["role", "assignment"],
    ]) {
      const line = calls.find((call) => last.every((word, index) => call[index] === word && call.includes("create")));
      const killed = await bootstrapped({ AZ_KILL_AFTER: JSON.stringify(line).replace(/","/g, '", "') });
      expect(killed.code).toBeNull();
      site.cloud.state.settle();
      const ended = await runScript(site, downAll, yes);
      expect(ended, ended.stderr).toMatchObject({ code: 0 });
      expect(names()).toEqual([]);
    }
    expect(site.cloud.unknown).toEqual([]);
  });
});
