import { execFile } from "node:child_process";

/** End of a program. */
export interface Finished<Output = string> {
  readonly stdout: Output;
  readonly stderr: string;
  /** Exit code; null if a signal ended it. */
  readonly code: number | null;
  /** Whether the program is not on the PATH. */
  readonly absent: boolean;
  readonly timedOut: boolean;
}

export interface ProgramOptions {
  /** Text for its standard input. */
  readonly input?: string;
  /** Whether it opens /dev/stdin as a file. Node gives children a socket, which cannot be opened, so `cat` makes a pipe of it. */
  readonly opensStdin?: boolean;
  /** Milliseconds until it is ended. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Its environment variables; those of this process if left out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Start it by a shell, as scripts need it on Windows; only for arguments that are fixed. */
  readonly shell?: boolean;
}

/** Runs a program to its end and returns what it printed. Never rejects: a program that is missing or aborted is reported as such. */
export async function runProgram(name: string, args: readonly string[], options: ProgramOptions = {}): Promise<Finished> {
  const finished = await runBinary(name, args, options);
  return { ...finished, stdout: finished.stdout.toString() };
}

/** `runProgram` for programs whose output is not text. */
export function runBinary(name: string, args: readonly string[], options: ProgramOptions = {}): Promise<Finished<Buffer>> {
  const { input = "", opensStdin = false, timeoutMs, signal, ...rest } = options;
  const [command, words] = opensStdin ? ["sh", ["-c", 'cat | "$0" "$@"', name, ...args]] : [name, args];
  const limits = { ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }), ...(signal === undefined ? {} : { signal }) };
  return new Promise((resolve) => {
    const child = execFile(
      command,
      [...words],
      { ...rest, ...limits, encoding: "buffer", maxBuffer: Number.POSITIVE_INFINITY },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
        // A shell that does not find the program ends with 127.
        const absent = error?.code === "ENOENT" || (opensStdin && code === 127);
        const timedOut = error?.killed === true && signal?.aborted !== true;
        resolve({ stdout, stderr: stderr.toString(), code, absent, timedOut });
      },
    );
    child.stdin?.on("error", () => undefined).end(input); // the program may read nothing
  });
}
