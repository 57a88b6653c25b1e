import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withAzureCli } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { type Ended, makeSite, onAzure, printedScript, printedScriptOf, runScript, type Site } from "./platform.ts";
import type { State } from "./state.ts";

withAzureCli("an AKS cluster that another tool created", () => {
  let site: Site;
  let made: State;
  const azure = onAzure["azure"] as { cluster: object };

  /** Returns the path of a script for a spec with `lifecycle: existing`. @param cluster settings of the cluster */
  const scriptFor = (command: "bootstrap" | "teardown", cluster: object = {}): Promise<string> =>
    printedScriptOf(
      {
        ...onAzure,
        azure: { ...azure, registry: null, cluster: { ...azure.cluster, lifecycle: "existing", ...cluster } },
        pydgraphClient: { enabled: false },
      },
      command,
    );

  const environment = { KUBECTL_STATE: join(scratchFolder("cluster"), "state"), MESHOPS_STATE: scratchFolder("state") };
  const running = (script: string, words: string[] = []): Promise<Ended> => runScript(site, script, { env: environment, words });

  beforeAll(async () => {
    site = await makeSite();
    // Simulates the other tool: the bootstrap script for `lifecycle: managed` creates the cluster.
    const ended = await runScript(site, await printedScript(site, "bootstrap"), {
      env: { KUBECTL_STATE: join(scratchFolder("cluster"), "state"), MESHOPS_STATE: scratchFolder("state") },
    });
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    made = site.cloud.state.copy();
  });
  afterAll(() => site.stop());

  test("bootstrap changes nothing in Azure, and installs Flux", async () => {
    const before = site.cloud.state.summary();
    const ended = await running(await scriptFor("bootstrap"));
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(ended.stderr).toMatch(/AKS cluster platform-dev\n +Kubernetes [\d.]+, network policy calico/);
    expect(ended.stderr).toContain("Flux runs in the cluster of dev and applies the components.");
    expect(site.cloud.state.summary()).toEqual(before);
    const commands = ended.calls.map(([group, command]) => `${group} ${command}`);
    expect(new Set(commands)).toEqual(new Set(["account show", "aks show", "aks get-credentials"]));
  });

  test.each([
    [{ name: "other" }, "cluster other does not exist in resource group platform", "correct azure.cluster.name"],
    [
      { networkPolicy: "cilium" },
      "the cluster has network policy calico, but the spec specifies cilium",
      "set azure.cluster.networkPolicy to calico",
    ],
    [{ kubernetesVersion: "1.32" }, "but the spec specifies 1.32", "set azure.cluster.kubernetesVersion"],
    [{ zones: [1, 3] }, "no node pool of the cluster is in zone 3", "correct azure.cluster.zones"],
  ])("bootstrap stops if the cluster does not match the spec: %j", async (cluster, message, fix) => {
    const ended = await running(await scriptFor("bootstrap", cluster));
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toContain(message);
    expect(ended.stderr).toContain(fix);
    expect(ended.calls.map(([group]) => group)).not.toContain("create");
  });

  test("teardown deletes the objects in the cluster, and keeps everything in Azure", async () => {
    site.cloud.state = made.copy();
    const before = site.cloud.state.summary();
    const ended = await running(await scriptFor("teardown"), ["--yes"]);
    expect(ended, ended.stderr).toMatchObject({ code: 0, calls: [] });
    expect(ended.stderr).toContain("the cluster and Flux's controllers are kept");
    expect(ended.stderr).toMatch(/linkerd-control-plane\n +(deleted|not found)/);
    expect(site.cloud.state.summary()).toEqual(before);
  });
});
