import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);
/** On Windows az is a script, which only a shell starts; the arguments are fixed. */
const shell = process.platform === "win32";
/** Time that a program has to answer (milliseconds): az takes seconds. */
const patience = 20_000;

/** What a program printed, and why that may not be its answer. */
export interface Reply {
  readonly text: string;
  /** Null where it ended well. */
  readonly trouble: { readonly absent: boolean; readonly message: string } | null;
}

/** Asks a program, with arguments that are ours; it never throws. */
export async function ask(name: string, args: readonly string[]): Promise<Reply> {
  try {
    const { stdout } = await exec(name, [...args], { timeout: patience, shell });
    return { text: stdout, trouble: null };
  } catch (error) {
    const {
      code,
      killed,
      stdout = "",
      stderr = "",
    } = error as { code?: unknown; killed?: boolean; stdout?: string; stderr?: string };
    const [first = ""] = stderr.trim().split("\n");
    const message =
      killed === true ? `no answer within ${patience / 1000} s` : first === "" ? `it ended with ${String(code)}` : first;
    return { text: stdout, trouble: { absent: code === "ENOENT", message } };
  }
}
