import type { Command } from "commander";

/** A command: what stands on the line without a dash, and the options, whose types commander does not know. It returns the exit code. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Subcommand = (names: string[], options: any) => Promise<number> | number;

/** What commander calls: imports a command when it runs, and makes what it returns the exit code. */
export function run(load: () => Promise<Subcommand>): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const self = args.at(-1) as Command;
    process.exitCode = await (await load())(self.args, self.optsWithGlobals());
  };
}
