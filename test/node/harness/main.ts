/**
 * `scripts/node up | down | image | kubeconfig`: manages a real Kubernetes cluster with one node on this machine, for
 * tests and for manual inspection. `up` starts a background process that runs the node. `up` returns when the node is
 * ready.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { nodeProblem } from "./machine.ts";
import { addImage, nodeFolder, RealNode, removeLeftovers } from "./node.ts";

const keeperFile = join(nodeFolder, "keeper.pid");
const usage = `usage: scripts/node up                                   starts the node and prints the path of its kubeconfig
       scripts/node down                                 stops the node, and removes what a killed node left
       scripts/node kubeconfig                           prints the path of the kubeconfig
       scripts/node image NAME SOURCE [ENTRYPOINT…]      packs a folder or a static program as an image and imports it
`;

const [command, ...rest] = process.argv.slice(2);
try {
  process.exitCode = await runCommand();
} catch (error) {
  console.error(`scripts/node: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function runCommand(): Promise<number> {
  if (command === "up") return up();
  if (command === "hold") return hold();
  if (command === "down") return down();
  if (command === "kubeconfig") return kubeconfig();
  const [name, source, ...entrypoint] = rest;
  if (command === "image" && name !== undefined && source !== undefined) {
    kubeconfig();
    await addImage({ name, source, ...(entrypoint.length === 0 ? {} : { entrypoint }) });
    return 0;
  }
  process.stderr.write(usage);
  return 2;
}

async function up(): Promise<number> {
  const problem = nodeProblem();
  if (problem !== null) throw new Error(problem);
  if (keeper() !== null) throw new Error("the node runs already; scripts/node down stops it");
  const log = join(mkdtempSync(join(tmpdir(), "meshops-node-up-")), "log");
  const output = openSync(log, "a");
  const self = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [...process.execArgv, self, "hold"], {
    detached: true,
    stdio: ["ignore", output, output],
  });
  child.unref();
  const began = Date.now();
  while (!existsSync(join(nodeFolder, "ready"))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the node did not start: ${readFileSync(log, "utf8")}`);
    await sleep(200);
  }
  rmSync(join(log, ".."), { recursive: true });
  console.error(
    `the node is ready after ${Math.round((Date.now() - began) / 1000)} s; to use it: export KUBECONFIG=$(scripts/node kubeconfig)`,
  );
  return kubeconfig();
}

/**
 * Starts the node. Stops the node when this process receives SIGTERM or SIGINT. `up` runs this function in the
 * background process.
 */
async function hold(): Promise<number> {
  const node = await RealNode.start({ wait: false });
  writeFileSync(keeperFile, String(process.pid));
  writeFileSync(join(nodeFolder, "starting"), "");
  renameSync(join(nodeFolder, "starting"), join(nodeFolder, "ready"));
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  await node.stop();
  return 0;
}

async function down(): Promise<number> {
  const pid = keeper();
  if (pid !== null) process.kill(pid, "SIGTERM");
  for (let tries = 0; keeper() !== null; tries++) {
    if (tries === 150 && pid !== null) process.kill(pid, "SIGKILL");
    await sleep(100);
  }
  await removeLeftovers();
  return 0;
}

function kubeconfig(): number {
  if (keeper() === null) throw new Error("no node runs; scripts/node up starts it");
  process.stdout.write(`${join(nodeFolder, "admin.kubeconfig")}\n`);
  return 0;
}

/** Returns the ID of the background process that runs the node; null if this process does not run. */
function keeper(): number | null {
  if (!existsSync(keeperFile)) return null;
  const pid = Number(readFileSync(keeperFile, "utf8"));
  return existsSync(`/proc/${pid}`) ? pid : null;
}
