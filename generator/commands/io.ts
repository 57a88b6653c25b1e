import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import pc from "picocolors";
import type { Colors } from "picocolors/types.js";

/** A stream that a command prints to. */
export interface Output {
  readonly isTTY: boolean;
  /** Colors for the stream; without effect if it is not a terminal, or with NO_COLOR. */
  readonly colors: Colors;
  write(text: string): void;
}

/** A dialog on the terminal. */
interface Prompt {
  /** Returns the line that the user types. @throws AbortError if the user ends the dialog */
  question(text: string): Promise<string>;
  close(): void;
}

/** Everything of its surroundings that a command uses: so commands run in a process of their own, or several in the process of a test. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: {
    readonly isTTY: boolean;
    /** Everything that is piped in. Blocks until it has ended. */
    read(): Uint8Array;
    /** Opens a dialog on the terminal. */
    prompt(): Promise<Prompt>;
  };
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder against which paths of arguments are resolved. Absolute. */
  readonly cwd: string;
  /** Words of the command line, without the program. */
  readonly argv: readonly string[];
  now(): Date;
  /** Calls a handler at each of these signals, which then no longer end the process. @returns a function that stops this */
  onSignals(signals: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): () => void;
}

/** The surroundings of this process. */
export function processIo(argv: readonly string[]): Io {
  const { env } = process;
  return {
    stdout: outputTo(process.stdout, env),
    stderr: outputTo(process.stderr, env),
    stdin: {
      // process.stdin must not be touched: it makes the pipe non-blocking, and reading it may then fail with EAGAIN.
      isTTY: isatty(0),
      read: () => readFileSync(0),
      prompt: async () => {
        const { createInterface } = await import("node:readline/promises");
        return createInterface({ input: process.stdin, output: process.stderr });
      },
    },
    env,
    cwd: process.cwd(),
    argv,
    now: () => new Date(),
    onSignals: (signals, handler) => {
      for (const signal of signals) process.on(signal, handler);
      return () => {
        for (const signal of signals) process.off(signal, handler);
      };
    },
  };
}

/** A stream as output of commands. */
export function outputTo(stream: { readonly isTTY?: boolean; write(text: string): unknown }, env: Io["env"]): Output {
  const isTTY = stream.isTTY === true;
  const refused = (env["NO_COLOR"] ?? "") !== "";
  return {
    isTTY,
    colors: pc.createColors(!refused && (isTTY || env["FORCE_COLOR"] === "1")),
    write: (text) => void stream.write(text),
  };
}
