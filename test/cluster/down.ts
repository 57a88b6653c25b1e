/** `npm run cluster:down`: ends the cluster that `npm run cluster:up` began, and waits until it is gone. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../support/tools.ts";
import { until } from "./harness/processes.ts";

const pid = join(projectRoot, ".tools/cluster/pid");
if (existsSync(pid)) {
  process.kill(Number(readFileSync(pid, "utf8")), "SIGTERM");
  await until("the cluster has ended", async () => !existsSync(pid), 30);
  console.error("the cluster has ended");
} else console.error("no cluster is up");
