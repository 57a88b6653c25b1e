import { execFile } from "node:child_process";

/** Result of running a program. */
export interface Finished<Output = string> {
  readonly stdout: Output;
  readonly stderr: string;
  /** Exit code. Null if a signal ended the program, or if the program did not start. */
  readonly code: number | null;
  /** Whether the program is not on the PATH. */
  readonly absent: boolean;
  readonly timedOut: boolean;
}

export interface ProgramOptions {
  /** Text for the program's standard input. */
  readonly input?: string;
  /**
   * Whether the program opens /dev/stdin as a file. The stdin of a child process of Node is a socket, which cannot be
   * opened. Therefore the input is piped through `cat`.
   */
  readonly opensStdin?: boolean;
  /** Time limit in milliseconds. meshops ends a program that runs longer. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Folder in which the program runs; default: the folder of this process. */
  readonly cwd?: string;
  /** Environment variables; default: the environment variables of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * Whether the program is started in a shell. Scripts need a shell on Windows. Use this option only with fixed
   * arguments.
   */
  readonly shell?: boolean;
}

/**
 * Runs a program and returns its output. The returned promise never rejects. If the program is missing or is aborted,
 * the result reports this.
 */
export async function runProgram(name: string, args: readonly string[], options: ProgramOptions = {}): Promise<Finished> {
  const finished = await runBinary(name, args, options);
  return { ...finished, stdout: finished.stdout.toString() };
}

/** Like `runProgram`, for programs whose output is not text. */
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
        // A shell exits with 127 if it does not find the program.
        const absent = error?.code === "ENOENT" || (opensStdin && code === 127);
        const timedOut = error?.killed === true && signal?.aborted !== true;
        resolve({ stdout, stderr: stderr.toString(), code, absent, timedOut });
      },
    );
    child.stdin?.on("error", () => undefined).end(input); // the program may end without reading the input
  });
}
