import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterCharts } from "../cluster/harness/charts.ts";
import { Cluster } from "../cluster/harness/cluster.ts";
import { fluxManifests } from "../cluster/harness/platform.ts";
import { ProbeNode } from "../cluster/harness/probe-node.ts";
import { withCluster, withPydgraph } from "../support/guards.ts";
import { scratchFolder } from "../support/platform.ts";
import { readmeEnv, remoteUrl } from "../support/scaffold-readme.ts";
import { environmentOf } from "../support/specs.ts";
import { projectRoot, tool } from "../support/tools.ts";
import { loadNamespace } from "./load/load.ts";
import type { StepResult } from "./step.ts";
import { steps } from "./steps.ts";

/*
 * Tests the program of the acceptance run, on the simulated cluster of test/cluster. kwok simulates the pods. The test
 * itself writes the log lines that the load client would print. The result therefore does not show how Linkerd behaves.
 * Without SLOW=1, the test runs only some of the steps.
 */
withPydgraph("the acceptance run", () =>
  withCluster("on a simulated cluster", () => {
    let cluster: Cluster;
    let node: ProbeNode;
    let folder: string;
    let env: Record<string, string>;
    let printing: ReturnType<typeof setInterval>;

    beforeAll(async () => {
      const work = scratchFolder("acceptance");
      folder = join(work, "run");
      writeFileSync(join(work, "install.yaml"), fluxManifests);
      env = { ...(await readmeEnv(join(folder, "platform"))), HOME: work, PATH: path() };
      const repository = join(folder, "platform");
      cluster = await Cluster.start({ repository, environment: environmentOf(), ageKey: "", charts: await clusterCharts() });
      await cluster.startFlux();
      cluster.git.followCommits();
      node = new ProbeNode(cluster.api, cluster.webhooks.tap, join(projectRoot, "test/client/api.proto"));
      cluster.webhooks.kubelet = await node.start();
      printing = setInterval(() => printCounts(node), 1000);
    });
    afterAll(async () => {
      clearInterval(printing);
      node?.stop();
      await cluster?.stop();
    });

    async function acceptance(...args: readonly string[]): Promise<{ code: number; out: string }> {
      const flags = ["--context", "harness", "--kubeconfig", cluster.plane.kubeconfigFile("admin"), "--git-url", remoteUrl];
      const more = ["--folder", folder, "--flux-manifests", join(folder, "../install.yaml")];
      const main = join(projectRoot, "test/acceptance/main.ts");
      const all = ["--import", "tsx", main, ...flags, ...more, "--client-image", "registry.example.com/client", ...args];
      const child = spawn(process.execPath, all, { cwd: projectRoot, env: { ...process.env, ...env } });
      let out = "";
      for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (out += text));
      const [code] = await once(child, "close");
      return { code: Number(code), out };
    }

    // Together, the steps of this test take about a quarter of an hour.
    const story = steps.map(({ id }) => id);
    const short = [
      "preflight",
      "scaffold",
      "identity",
      "first-sync",
      "drift",
      "policy-without-4143",
      "rotate-issuer",
      "teardown",
    ];
    const selected = process.env["SLOW"] === "1" ? story : short;

    test("passes each selected step, and reports all other steps as not run", { timeout: 2_400_000 }, async () => {
      const versions = ["--release", "edge-25.10.7", "--upgrade-to", "edge-26.8.3"];
      const { code, out } = await acceptance(...versions, "--only", selected.join(","));
      const { results } = JSON.parse(readFileSync(join(folder, "run.json"), "utf8")) as { results: Record<string, StepResult> };
      const statuses = story.map((id) => `${id}: ${results[id]?.status}`);
      expect(statuses, out).toEqual(story.map((id) => `${id}: ${selected.includes(id) ? "passed" : "not run"}`));
      expect(code).toBe(selected === story ? 0 : 4);
      expect(results["rotate-issuer"]?.measures).toEqual([["failed calls", expect.stringMatching(/^0 of \d+$/)]]);
      expect(results["policy-without-4143"]?.measures).toEqual([["T2a", expect.stringContaining("4143")]]);
      const [first] = readFileSync(join(folder, "report.md"), "utf8").split("\n");
      expect(first).toBe(
        `${selected.length} of ${story.length} steps ran: ${selected.length} passed, 0 failed. ${story.length - selected.length} steps did not run.`,
      );
      expect(readFileSync(join(folder, "junit.xml"), "utf8")).toContain(`skipped="${story.length - selected.length}"`);
    });

    test("--clean-up removes the folder of the run", async () => {
      const { code, out } = await acceptance("--clean-up");
      expect(code, out).toBe(0);
      expect(existsSync(folder)).toBe(false);
    });
  }),
);

/**
 * Adds one line to the log of the load client, and one line to the log of the prober. According to these lines, no call
 * of the load client failed, and no server answered the prober.
 */
function printCounts(node: ProbeNode): void {
  const at = new Date().toISOString();
  node.setLog(loadNamespace, "load", log("load", { at, calls: { "http-new": 10 }, failed: {}, answered: {} }));
  node.setLog(loadNamespace, "probe", log("probe", { at, calls: { "alpha:8080": 6 }, failed: {}, answered: {} }));
}

const logs: Record<string, string> = { load: "", probe: "" };

function log(name: "load" | "probe", line: object): string {
  logs[name] += `${JSON.stringify(line)}\n`;
  return logs[name] ?? "";
}

function path(): string {
  return [join(tool("kubectl"), ".."), process.env["PATH"] ?? ""].join(":");
}
