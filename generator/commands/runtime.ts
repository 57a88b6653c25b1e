import type { Command } from "@commander-js/extra-typings";
import type { Io } from "./io.ts";

/** The command line parser, with the option of every command. */
export type Program = Command<[], { directory: string }>;

/** Values that declarations of commands need to run them. */
export interface Runtime {
  readonly io: Io;
  /** Sets the exit code of the command. */
  end(code: number): void;
}
