import type { Command } from "@commander-js/extra-typings";
import type { Io } from "./io.ts";

/** The command line, with the option that every command has. */
export type Program = Command<[], { directory: string }>;

/** What declarations of commands need to run them. */
export interface Runtime {
  readonly io: Io;
  /** Takes the exit code of the command. */
  end(code: number): void;
}
