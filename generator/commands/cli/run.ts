import type { Command } from "commander";
import type { Io } from "../io.ts";

/** A command: words of the line without a dash, and the options, whose types commander does not know. Returns the exit code. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Subcommand = (names: string[], options: any, io: Io) => Promise<number> | number;

/** What commander calls: imports a command when it runs. */
export type Run = (load: () => Promise<Subcommand>) => (...args: unknown[]) => Promise<void>;

/** @param ended gets the exit code */
export function runWith(io: Io, ended: (code: number) => void): Run {
  return (load) =>
    async (...args) => {
      const self = args.at(-1) as Command;
      ended(await (await load())(self.args, self.optsWithGlobals(), io));
    };
}
