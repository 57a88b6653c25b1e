import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kubectl } from "../acceptance/kubectl.ts";
import { Load, loadNamespace } from "../acceptance/load/load.ts";
import type { StepResult } from "../acceptance/step.ts";
import type { ApiObject } from "../cluster/harness/api.ts";
import { isReady } from "../cluster/harness/helm-actor.ts";
import { reservePort, until } from "../cluster/harness/processes.ts";
import { scratchFolder } from "../support/platform.ts";
import { projectRoot, referenceFolder, tool } from "../support/tools.ts";
import type { RealNode } from "./harness/node.ts";
import { nodeImage } from "./harness/node-image.ts";
import { alphaContainer } from "./verify.ts";

/*
 * Tests the load client of the acceptance run with real pods. The pods have no proxies, and test/node/pods/alpha.mjs
 * acts as Alpha. Also tests an acceptance run on a cluster that cannot pull Linkerd's images.
 */
export function acceptanceTests(running: () => RealNode): void {
  let node: RealNode;
  let kubeconfig: string;
  let load: Load;
  const host = `alpha.${loadNamespace}.svc.cluster.local`;
  beforeAll(async () => {
    node = running();
    kubeconfig = node.plane.kubeconfigFile("admin");
    load = new Load(new Kubectl({ context: "harness", kubeconfig }, tool("kubectl")), nodeImage);
    await load.prepare();
    await node.api.apply(service);
    await startAlpha();
  });
  afterAll(() => node.removeNamespaces([loadNamespace]));

  const path = (): string => [join(tool("kubectl"), ".."), process.env["PATH"] ?? ""].join(":");
  const alphaPath = `/api/v1/namespaces/${loadNamespace}/pods/alpha`;

  async function startAlpha(): Promise<void> {
    await node.api.apply(alpha);
    await until("Alpha is ready", async () => {
      const pod = await node.api.get(alphaPath);
      return pod !== null && isReady(pod);
    });
  }

  test("the load client counts calls in four ways, and reports each failed call with its time while Alpha does not run", async () => {
    const calm = await load.during(host, () => sleep(2000));
    expect(calm.failures).toEqual([]);
    expect(calm.calls).toBeGreaterThan(40);
    const disturbed = await load.during(host, async () => {
      await node.api.delete(alphaPath);
      await until("Alpha is gone", async () => (await node.api.get(alphaPath)) === null);
      await sleep(2000);
      await startAlpha();
    });
    expect(disturbed.failed).toBeGreaterThan(0);
    expect(disturbed.failed).toBeLessThan(disturbed.calls);
    for (const way of ["http-new", "http-kept", "grpc-new", "grpc-kept"])
      expect(
        disturbed.failures.some((line) => new RegExp(`^20\\d\\d-\\S+Z ${way}: .`).test(line)),
        way,
      ).toBe(true);
  });

  test("the prober reports exactly the ports that answer", async () => {
    await load.start("probe", [`${host}:8080`, `${host}:9080`, `${host}:7080`]);
    // On a busy machine, one try takes longer than the interval at which the prober starts tries.
    await until("the prober has made enough tries", async () => (await load.probed()).tries > 10);
    const { answered } = await load.probed();
    await load.stop("probe");
    expect(Object.keys(answered).sort()).toEqual([`${host}:8080`, `${host}:9080`]);
  });

  /** Runs the acceptance run on the node. Returns its exit code, its output, and the folder of the run. */
  async function acceptance(...args: readonly string[]): Promise<{ code: number; out: string; folder: string }> {
    const folder = join(scratchFolder("acceptance-node"), "run");
    const flags = ["--context", "harness", "--kubeconfig", kubeconfig, "--folder", folder, "--node-image", nodeImage];
    const main = join(projectRoot, "test/acceptance/main.ts");
    const git = ["--serve-git", `127.0.0.1:${await reservePort()}`];
    const child = spawn(process.execPath, ["--import", "tsx", main, ...flags, ...git, ...args], {
      cwd: projectRoot,
      env: { ...process.env, PATH: path(), GIT_CONFIG_GLOBAL: "/dev/null" },
    });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (out += text));
    const [code] = await once(child, "close");
    return { code: Number(code), out, folder };
  }

  test("an acceptance run refuses a cluster that contains Linkerd's CRDs", async () => {
    await node.api.applyAll(readFileSync(join(referenceFolder, "charts/linkerd-crds/2026.8.3/rendered.yaml"), "utf8"));
    const { code, out } = await acceptance();
    expect(code, out).toBe(1);
    expect(out).toContain("the cluster already contains Linkerd");
  });

  test("an acceptance run on a cluster that cannot pull Linkerd's images ends with exit code 4, and reports the reason", async () => {
    const { code, out, folder } = await acceptance("--allow-linkerd");
    expect(code, out).toBe(4);
    const { results } = JSON.parse(readFileSync(join(folder, "run.json"), "utf8")) as { results: Record<string, StepResult> };
    const passed = Object.values(results).filter(({ status }) => status === "passed");
    expect(passed.map(({ id }) => id)).toEqual(["preflight", "scaffold", "identity"]);
    expect(passed[0]?.measures).toContainEqual(["load client", "a pod with the load client started"]);
    expect(results["first-sync"]?.message).toContain("the cluster cannot pull cr.l5d.io/linkerd/proxy:");
    console.log(readFileSync(join(folder, "report.md"), "utf8").split("\n## ")[0]);
  });
}

const service: ApiObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "alpha", namespace: loadNamespace },
  spec: {
    selector: { app: "alpha" },
    ports: [
      { name: "http", port: 8080 },
      { name: "grpc", port: 9080 },
      { name: "closed", port: 7080 },
    ],
  },
};

const alpha: ApiObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "alpha", namespace: loadNamespace, labels: { app: "alpha" } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [alphaContainer],
  },
};
