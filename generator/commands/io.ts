import { readFileSync } from "node:fs";
import { isatty } from "node:tty";
import pc from "picocolors";
import type { Colors } from "picocolors/types.js";

/** A stream that a command prints to. */
export interface Output {
  readonly isTTY: boolean;
  /**
   * Functions that add colors to a text. They return the text without colors if NO_COLOR is set. They also return the
   * text without colors if the stream is not a terminal, unless FORCE_COLOR is 1.
   */
  readonly colors: Colors;
  write(text: string): void;
}

/** A dialog with the user on the terminal. */
interface Prompt {
  /**
   * Asks a question and returns the line that the user types.
   * @throws AbortError if the user presses Ctrl-C or Ctrl-D
   */
  question(text: string): Promise<string>;
  close(): void;
}

/**
 * Input and output of a command, and other properties of the process, such as environment variables. Each command gets
 * an `Io` as an argument. A test can therefore run commands in its own process, with its own input and output.
 */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: {
    readonly isTTY: boolean;
    /** Reads stdin to its end. Blocks until all input is read. */
    read(): Uint8Array;
    /** Opens a dialog on the terminal. */
    prompt(): Promise<Prompt>;
  };
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the working directory. Paths in arguments are relative to this directory. */
  readonly cwd: string;
  /** Arguments of the command line, without the program name. */
  readonly argv: readonly string[];
  now(): Date;
  /**
   * Sets a handler for signals. If the process receives one of the signals, the handler is called, and the signal does
   * not end the process.
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
      // Do not use `process.stdin.isTTY`. If stdin is a pipe, any use of process.stdin makes the pipe non-blocking, and
      // readFileSync can then fail with EAGAIN.
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

/** Returns an `Output` that writes to a stream. */
export function outputTo(stream: { readonly isTTY?: boolean; write(text: string): unknown }, env: Io["env"]): Output {
  const isTTY = stream.isTTY === true;
  const noColor = (env["NO_COLOR"] ?? "") !== "";
  return {
    isTTY,
    colors: pc.createColors(!noColor && (isTTY || env["FORCE_COLOR"] === "1")),
    write: (text) => void stream.write(text),
  };
}
