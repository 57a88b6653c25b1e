import { platform } from "node:os";
import { runProgram } from "../../system/process.ts";
import { duration } from "../../system/text.ts";
import type { Io } from "../io.ts";

/** Maximum duration of a program in milliseconds. The Azure CLI needs several seconds. */
const timeoutMs = 20_000;

/** Result of running a program. */
export interface Reply {
  readonly text: string;
  /** Description of the failure. Null if the program ended with the exit code 0. */
  readonly trouble: { readonly absent: boolean; readonly message: string } | null;
}

/**
 * Runs a program and returns the result. The promise never rejects, even if the program is not installed. On Windows,
 * the function runs the program in a shell, because `az` is a script on Windows.
 */
export async function runTool({ env }: Io, name: string, args: readonly string[]): Promise<Reply> {
  const finished = await runProgram(name, args, { timeoutMs, env, shell: platform() === "win32" });
  const { stdout: text, stderr, code, absent, timedOut } = finished;
  if (code === 0) return { text, trouble: null };
  const [first = ""] = stderr.trim().split("\n");
  const failure = first === "" ? `exit code ${absent ? "ENOENT" : code}` : first;
  return { text, trouble: { absent, message: timedOut ? `no answer within ${duration(timeoutMs)}` : failure } };
}
