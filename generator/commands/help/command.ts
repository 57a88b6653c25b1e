import type { Program, Runtime } from "../runtime.ts";

/** `meshops help`: commands, topics and rules explained. */
export function declareHelp(program: Program, { io, end }: Runtime): void {
  program
    .command("help")
    .description("explain a command, a topic, or a rule by its code")
    .argument("[topic...]", "what is to be explained")
    .action(async function () {
      end(await (await import("./help.ts")).help(program)(this.args, io));
    });
}
