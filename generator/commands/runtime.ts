import type { Command } from "@commander-js/extra-typings";
import type { Io } from "./io.ts";

/** The command line parser, with the global option `--directory`. */
export type Program = Command<[], { directory: string }>;

/** Argument of the functions that declare the commands. */
export interface Runtime {
  readonly io: Io;
  /** Sets the exit code of the command line. */
  end(code: number): void;
}
