import { Argument } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/**
 * Declares `meshops completion`, which prints a completion script for a shell, and `meshops complete`, which the
 * completion script calls.
 */
export function declareCompletion(program: Program, { io, end }: Runtime): void {
  program
    .command("completion")
    .description("print the shell script that completes commands, options and environments")
    .addArgument(new Argument("<shell>", "shell").choices(["bash", "zsh", "fish"]))
    .action(async function () {
      end(await (await import("./completion.ts")).completion(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("complete", { hidden: true })
    .argument("[words...]", "command line up to the cursor")
    .action(async function () {
      end(await (await import("./completion.ts")).complete(program)(this.args, io));
    });
}
