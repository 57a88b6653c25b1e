import { Argument } from "@commander-js/extra-typings";
import { output } from "./arguments.ts";
import type { Program, Runtime } from "./runtime.ts";

/** About meshops itself and the machine that it runs on. */
export function declareAbout(program: Program, { io, end }: Runtime): void {
  program
    .command("doctor")
    .description("say which tools, access and keys are there, what is missing, and how to get it")
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("../doctor/doctor.ts")).doctor(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("completion")
    .description("print the script that completes commands, options and environments in a shell")
    .addArgument(new Argument("<shell>", "shell").choices(["bash", "zsh", "fish"]))
    .action(async function () {
      end(await (await import("../completion/completion.ts")).completion(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("complete", { hidden: true })
    .argument("[words...]", "the line so far")
    .action(async function () {
      end(await (await import("../completion/completion.ts")).complete(program)(this.args, io));
    });

  program
    .command("help")
    .description("explain a command, a topic, or a rule by its code")
    .argument("[topic...]", "what is to be explained")
    .action(async function () {
      end(await (await import("../help.ts")).help(program)(this.args, io));
    });
}
