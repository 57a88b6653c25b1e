/** `npm run cluster:down`: stops the cluster that `npm run cluster:up` started, and waits until it has stopped. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../support/tools.ts";
import { until } from "./harness/processes.ts";

const pid = join(projectRoot, ".tools/cluster/pid");
if (existsSync(pid)) {
  process.kill(Number(readFileSync(pid, "utf8")), "SIGTERM");
  await until("the cluster has stopped", async () => !existsSync(pid), 30);
  console.error("the cluster has stopped");
} else console.error("no cluster is running");
