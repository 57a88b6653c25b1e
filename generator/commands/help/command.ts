import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops help`, which explains commands, topics and findings. */
export function declareHelp(program: Program, { io, end }: Runtime): void {
  program
    .command("help")
    .description("explain a command, a topic, or the code of a finding")
    .argument("[topic...]", "command, topic or code")
    .action(async function () {
      end(await (await import("./help.ts")).help(program)(this.args, io));
    });
}
