/**
 * `npm run cluster:up`: starts a simulated cluster with the environment of `makeGitPlatform`. You can inspect the
 * cluster with kubectl. To stop the cluster, run `npm run cluster:down` in another terminal, or press Ctrl-C.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beginRun } from "../support/run.ts";
import { projectRoot } from "../support/tools.ts";
import { clusterCharts } from "./harness/charts.ts";
import { Cluster } from "./harness/cluster.ts";
import { makeGitPlatform } from "./harness/platform.ts";

const folder = join(projectRoot, ".tools/cluster");
const endRun = await beginRun();
const { testIdentity } = await import("../support/platform.ts");
const { root, environment } = await makeGitPlatform();
console.error("starting the control plane");
const cluster = await Cluster.start({
  repository: root,
  environment,
  ageKey: testIdentity().clusterKey,
  charts: await clusterCharts(),
});

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "pid"), String(process.pid));
let ending = false;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, async () => {
    if (ending) return;
    ending = true;
    await cluster.stop();
    endRun();
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });

await cluster.startFlux();
console.error(await cluster.bootstrap());
console.error(`reconciling; to inspect the cluster, run in another terminal:

  export KUBECONFIG=${cluster.plane.kubeconfigFile("admin")}
  kubectl get kustomizations -n flux-system
  node dist/cli.js -C ${root} status own --context harness --watch

the repository is ${root}: change environments/own.yaml, run meshops generate and commit; each commit is published
npm run cluster:down stops the cluster`);
cluster.git.followCommits();
