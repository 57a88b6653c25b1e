import { spawn } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "./tools.ts";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The shipped command line. */
const cliPath: string = join(projectRoot, "dist/cli.js");

export interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on its standard input. */
  readonly input?: string;
  /** Another build of the command line. */
  readonly cli?: string;
  /** Kills it with SIGKILL. */
  readonly killAfterMs?: number;
}

/** Runs the command line in a process of its own. */
export function meshops(
  cwd: string,
  args: readonly string[],
  { env, input, killAfterMs, cli = cliPath }: Circumstances = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd, env: { ...process.env, NO_COLOR: "1", ...env } });
    child.stdin.on("error", () => {}); // it may read nothing
    child.stdin.end(input ?? "");
    const out = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const)
      child[stream].setEncoding("utf8").on("data", (text: string) => (out[stream] += text));
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, ...out });
    });
  });
}
