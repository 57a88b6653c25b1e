import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../cluster/harness/processes.ts";
import { withRealNode } from "../support/guards.ts";
import { projectRoot, run } from "../support/tools.ts";
import { acceptanceTests } from "./acceptance.ts";
import { accessTests } from "./access.ts";
import { cgroupsLeft, kernelSettings } from "./harness/kernel.ts";
import { RealNode } from "./harness/node.ts";
import { addClientImage, addNodeImage } from "./harness/node-image.ts";
import { statusTests } from "./status.ts";
import { verifyTests } from "./verify.ts";
import { workloadAccessTests } from "./workload-access.ts";

withRealNode("a real node", () => {
  describe("with real pods", () => {
    let node: RealNode;
    beforeAll(async () => {
      node = await RealNode.start({ wait: true });
      await addNodeImage(join(projectRoot, "test/node/pods"));
      await addClientImage();
    });
    afterAll(() => node?.stop());

    describe("connections to Dgraph that the generated NetworkPolicies allow", () => accessTests(() => node));
    describe("connections to workloads that the generated NetworkPolicies allow", () => workloadAccessTests(() => node));
    describe("causes that status reports", () => statusTests(() => node));
    describe("probes of verify", () => verifyTests(() => node));
    describe("the acceptance run", () => acceptanceTests(() => node));
  });

  describe("scripts/node", () => {
    const script = (...args: string[]): Promise<string> => run(join(projectRoot, "scripts/node"), args);
    /** Returns everything that a node can change on the machine, except the node's processes. */
    const traces = async (): Promise<unknown> => ({
      cgroups: cgroupsLeft(),
      folder: existsSync("/tmp/meshops-node"),
      kernel: kernelSettings(),
      devices: (await run("ip", ["-o", "link"])).match(/meshops/g),
      mounts: readFileSync("/proc/mounts", "utf8").match(/meshops/g),
    });
    const processes = async (): Promise<string> => run("sh", ["-c", "pgrep -f '[/]tmp/meshops-node/' || true"]);

    test.each([
      ["nothing was killed", async () => {}],
      ["the process that holds the node was killed", () => run("sh", ["-c", "kill -9 $(cat /tmp/meshops-node/keeper.pid)"])],
      [
        "containerd and the kubelet were killed",
        () => run("pkill", ["-9", "-f", "[/]tmp/meshops-node/(containerd.toml|kubelet.yaml)"]),
      ],
    ])("down removes everything that the node has changed on the machine, if %s", async (_, disturb) => {
      const before = await traces();
      expect(before).toMatchObject({ cgroups: [], folder: false });
      const kubeconfig = (await script("up")).trim();
      expect(await script("kubeconfig")).toBe(`${kubeconfig}\n`);
      expect(
        await run("kubectl", ["--kubeconfig", kubeconfig, "get", "nodes"], {
          env: { PATH: `${projectRoot}.tools/bin:${process.env["PATH"]}` },
        }),
      ).toMatch(/^node-1 +Ready/m);
      await disturb();
      await script("down");
      expect(await traces()).toEqual(before);
      await until("all processes have ended", async () => (await processes()) === "");
    });

    test("if no node runs, the command kubeconfig fails and prints how to start a node", async () => {
      await expect(script("kubeconfig")).rejects.toThrow("no node runs; scripts/node up starts it");
    });
  });
});
