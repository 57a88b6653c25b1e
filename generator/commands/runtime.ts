import type { Command } from "@commander-js/extra-typings";
import type { Io } from "./io.ts";

/** The command line parser, with the global option `--directory`. */
export type Program = Command<[], { directory: string }>;

/** Values that the command declarations pass to the commands. */
export interface Runtime {
  readonly io: Io;
  /** Sets the exit code of the command. */
  end(code: number): void;
}
