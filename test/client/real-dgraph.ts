import { type ChildProcess, spawn } from "node:child_process";
import { reservePort, until } from "../cluster/harness/processes.ts";
import { scratchFolder } from "../support/platform.ts";

/** Starts one Zero and one Alpha on loopback, without telemetry. Uses the `dgraph` binary on the PATH. */
export async function startDgraph(): Promise<{ http: string; grpc: string; stop: () => void }> {
  const folder = scratchFolder("dgraph");
  const offset = (await reservePort()) - 20_000;
  const running: ChildProcess[] = [];
  const start = (...args: string[]): void => {
    const common = ["--bindall=false", `--port_offset=${offset}`, "--telemetry", "reports=false;sentry=false"];
    running.push(spawn("dgraph", [...args, ...common], { cwd: folder, stdio: "ignore" }));
  };
  start("zero", `--my=127.0.0.1:${5080 + offset}`, "--wal=zw");
  start("alpha", `--my=127.0.0.1:${7080 + offset}`, `--zero=127.0.0.1:${5080 + offset}`, "-p=p", "-w=w");
  const http = `127.0.0.1:${8080 + offset}`;
  await until("Alpha is healthy", () => fetch(`http://${http}/health`).then(({ ok }) => ok), 60);
  const stop = (): void => {
    for (const child of running.reverse()) child.kill();
  };
  return { http, grpc: `127.0.0.1:${9080 + offset}`, stop };
}
