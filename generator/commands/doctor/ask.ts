import { platform } from "node:os";
import { runProgram } from "../../system/process.ts";
import type { Io } from "../io.ts";

/** Milliseconds that a program has to answer: az takes seconds. */
const timeoutMs = 20_000;

/** What a program printed, and why that may not be its answer. */
export interface Reply {
  readonly text: string;
  /** Null if it ended well. */
  readonly trouble: { readonly absent: boolean; readonly message: string } | null;
}

/** Asks a program, with fixed arguments. Never rejects. On Windows az is a script, which only a shell starts. */
export async function ask({ env }: Io, name: string, args: readonly string[]): Promise<Reply> {
  const finished = await runProgram(name, args, { timeoutMs, env, shell: platform() === "win32" });
  const { stdout: text, stderr, code, absent, timedOut } = finished;
  if (code === 0) return { text, trouble: null };
  const [first = ""] = stderr.trim().split("\n");
  const failure = first === "" ? `it ended with ${absent ? "ENOENT" : code}` : first;
  return { text, trouble: { absent, message: timedOut ? `no answer within ${timeoutMs / 1000} s` : failure } };
}
