import { Argument } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops completion`: shell scripts, and `meshops complete`, which they call. */
export function declareCompletion(program: Program, { io, end }: Runtime): void {
  program
    .command("completion")
    .description("print the script that completes commands, options and environments in a shell")
    .addArgument(new Argument("<shell>", "shell").choices(["bash", "zsh", "fish"]))
    .action(async function () {
      end(await (await import("./completion.ts")).completion(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("complete", { hidden: true })
    .argument("[words...]", "the line so far")
    .action(async function () {
      end(await (await import("./completion.ts")).complete(program)(this.args, io));
    });
}
