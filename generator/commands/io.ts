import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import pc from "picocolors";
import type { Colors } from "picocolors/types.js";

/** A stream that a command prints to. */
export interface Output {
  readonly isTTY: boolean;
  /**
   * Colors for the stream. They have no effect with NO_COLOR, or on a stream that is not a terminal without
   * FORCE_COLOR=1.
   */
  readonly colors: Colors;
  write(text: string): void;
}

/** A dialog on the terminal. */
interface Prompt {
  /** Returns the line that the user types. @throws AbortError if the user ends the dialog */
  question(text: string): Promise<string>;
  close(): void;
}

/**
 * Everything that a command uses of its process. It is a value, so that a test can run several commands in one process.
 */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: {
    readonly isTTY: boolean;
    /** Reads stdin to its end. Blocks until then. */
    read(): Uint8Array;
    /** Opens a dialog on the terminal. */
    prompt(): Promise<Prompt>;
  };
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the working directory, to which paths in arguments are relative. */
  readonly cwd: string;
  /** Arguments of the command line, without the program name. */
  readonly argv: readonly string[];
  now(): Date;
  /**
   * Calls a handler on each of these signals, instead of ending the process.
   *
   * @returns a function that removes the handler
   */
  onSignals(signals: readonly NodeJS.Signals[], handler: (signal: NodeJS.Signals) => void): () => void;
}

/** Returns the `Io` of this process. */
export function processIo(argv: readonly string[]): Io {
  const { env } = process;
  return {
    stdout: outputTo(process.stdout, env),
    stderr: outputTo(process.stderr, env),
    stdin: {
      // Do not access process.stdin: it makes the pipe non-blocking, and readFileSync may then fail with EAGAIN.
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

/** Wraps a stream as an output of commands. */
export function outputTo(stream: { readonly isTTY?: boolean; write(text: string): unknown }, env: Io["env"]): Output {
  const isTTY = stream.isTTY === true;
  const noColor = (env["NO_COLOR"] ?? "") !== "";
  return {
    isTTY,
    colors: pc.createColors(!noColor && (isTTY || env["FORCE_COLOR"] === "1")),
    write: (text) => void stream.write(text),
  };
}
