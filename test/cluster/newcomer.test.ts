import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { withCluster, withProgram, withPydgraph } from "../support/guards.ts";
import { scratchFolder, writeTree } from "../support/platform.ts";
import { packMeshops, pathWith, readmeEnv, remoteUrl, shellBlocks } from "../support/scaffold-readme.ts";
import { projectRoot, run, tool } from "../support/tools.ts";
import { clusterCharts } from "./harness/charts.ts";
import { Cluster } from "./harness/cluster.ts";
import { environmentIn, fluxManifests } from "./harness/platform.ts";
import { ProbeNode } from "./harness/probe-node.ts";

/*
 * Simulates a new user on an existing cluster. Packs meshops as an npm package, and runs `meshops init` from this
 * package. Then runs every command in the README of the new repository, in the order of the README. The test differs
 * from the README in two ways. Flux's manifests are a local file, because the tests have no access to GitHub. A
 * stand-in for `docker` does nothing, because kwok simulates the pods and no image is pulled.
 */
withPydgraph("a new user", () =>
  withProgram("script", "a new user", () =>
    withCluster("follows the README of a new repository", () => {
      let root: string;
      let env: Record<string, string>;
      let cluster: Cluster;
      let node: ProbeNode | undefined;
      let blocks: string[][];

      beforeAll(async () => {
        const work = scratchFolder("newcomer");
        root = join(work, "platform");
        env = { ...(await readmeEnv(root)), HOME: work };
        const image = "registry.example.com/pydgraph-client";
        const options = ["--cluster", "own", "--environments", "lab", "--git-url", remoteUrl, "--with-client", image];
        const packed = await packMeshops(work);
        await run("npx", ["--yes", "--package", packed, "meshops", "init", "platform", ...options], { cwd: work, env });
        blocks = shellBlocks(readFileSync(join(root, "README.md"), "utf8"));
        const base = parse(readFileSync(join(root, "environments/base.yaml"), "utf8")) as { spec: { gitops: object } };
        base.spec.gitops = { ...base.spec.gitops, flux: { manifests: "./install.yaml" } };
        writeTree(root, { "environments/base.yaml": stringify(base), "install.yaml": fluxManifests });
        await run("git", ["init", "-q", "-b", "main"], { cwd: root, env });
      });
      afterAll(async () => {
        node?.stop();
        await cluster?.stop();
      });

      test("the commands that set up the repository end with a push", async () => {
        for (const line of blocks[0] ?? []) await run("bash", ["-ec", line], { cwd: root, env });
        expect(await run("git", ["status", "--porcelain"], { cwd: root, env })).toBe("");
        const [local, pushed] = await Promise.all(
          [root, join(root, "../remote.git")].map((cwd) => run("git", ["rev-parse", "main"], { cwd, env })),
        );
        expect(pushed).toBe(local);
      });

      test("the commands that bring up the cluster end with a verified mesh", async () => {
        const [ageKey = ""] = /AGE-SECRET-KEY-1\S+/.exec(readFileSync(env["SOPS_AGE_KEY_FILE"] ?? "", "utf8")) ?? [];
        const environment = environmentIn(root, "lab");
        cluster = await Cluster.start({ repository: root, environment, ageKey, charts: await clusterCharts() });
        await cluster.startFlux();
        const path = pathWith({ docker: "exit 0" }, join(tool("kubectl"), ".."));
        const commands = { ...env, PATH: path, KUBECONFIG: cluster.plane.kubeconfigFile("admin") };
        const lines = blocks[1] ?? [];
        expect(lines.map((line) => line.split(" ").slice(0, 3).join(" "))).toEqual([
          "docker build --tag",
          "npx meshops bootstrap",
          "npx meshops status",
          "npx meshops verify",
        ]);
        for (const line of lines) {
          if (line.includes("meshops verify")) {
            node = new ProbeNode(cluster.api, cluster.webhooks.tap, join(projectRoot, "test/client/api.proto"));
            cluster.webhooks.kubelet = await node.start();
          }
          const { code, shown } = await onTerminal(line, root, commands);
          expect(code, `${line}\n${shown}`).toBe(0);
        }
      });
    }),
  ),
);

/**
 * Runs a command on a terminal. If the command asks the user to confirm the kubectl context, types the name of the
 * context.
 */
async function onTerminal(
  line: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; shown: string }> {
  const terminal = spawn("script", ["-qec", line, "/dev/null"], { cwd, env: { ...process.env, ...env } });
  let shown = "";
  let asked = false;
  terminal.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    const [, context] = /the kubectl context is (\S+); type this name to continue: $/.exec(shown) ?? [];
    if (context === undefined || asked) return;
    asked = true;
    terminal.stdin.write(`${context}\n`);
  });
  const [code] = await once(terminal, "close");
  return { code: Number(code), shown };
}
