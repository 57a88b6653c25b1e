import { spawn } from "node:child_process";
import { join } from "node:path";
import { type Io, outputTo } from "../../generator/commands/io.ts";
import { run } from "../../generator/commands/run.ts";
import { projectRoot } from "./tools.ts";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Path of the built command line. The npm package contains this file. */
const cliPath: string = join(projectRoot, "dist/cli.js");

export interface Circumstances {
  /**
   * Additional environment variables. If the test's process has a variable with the same name, the additional variable
   * replaces it.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input. */
  readonly input?: string;
}

export interface ProcessCircumstances extends Circumstances {
  /** Path of the command line (default: the built command line of this checkout). */
  readonly cli?: string;
  /** Time after which the process is killed with SIGKILL, in milliseconds. */
  readonly killAfterMs?: number;
}

/**
 * Returns the I/O for a command that runs in the process of the test, and the object that collects the output of this
 * command. The command has no terminal and prints no colors.
 */
export function testIo(cwd: string, argv: readonly string[] = [], { env: own = {}, input = "" }: Circumstances = {}): CapturedIo {
  const env = { ...process.env, NO_COLOR: "1", ...own };
  const out = { stdout: "", stderr: "" };
  const capture = (name: keyof typeof out): Io["stdout"] => outputTo({ write: (text) => (out[name] += text) }, env);
  return {
    io: {
      stdout: capture("stdout"),
      stderr: capture("stderr"),
      stdin: {
        isTTY: false,
        read: () => new TextEncoder().encode(input),
        prompt: () => Promise.reject(new Error("there is no terminal")),
      },
      env,
      cwd,
      argv,
      now: () => new Date(),
      onSignals: () => () => {},
    },
    out,
  };
}

interface CapturedIo {
  readonly io: Io;
  readonly out: { readonly stdout: string; readonly stderr: string };
}

/** Runs a meshops command line in the process of the test. Returns the exit code and the output of meshops. */
export async function meshops(cwd: string, args: readonly string[], circumstances: Circumstances = {}): Promise<Finished> {
  const { io, out } = testIo(cwd, args, circumstances);
  const code = await run(args, io);
  return { code, ...out };
}

/**
 * Runs the built command line in its own process. Use this function if a test must kill the command, or if the command
 * must find other programs through the PATH in `env`.
 */
export function meshopsProcess(
  cwd: string,
  args: readonly string[],
  { env, input, killAfterMs, cli = cliPath }: ProcessCircumstances = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], { cwd, env: { ...process.env, NO_COLOR: "1", ...env } });
    child.stdin.on("error", () => {}); // the process may exit without reading its input
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
