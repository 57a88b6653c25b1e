import { Argument, type Command } from "commander";
import { output } from "./arguments.ts";
import type { Run } from "./run.ts";

/** About meshops itself and the machine that it runs on. */
export function declareAbout(program: Command, run: Run): void {
  program
    .command("doctor")
    .description("say which tools, access and keys are there, what is missing, and how to get it")
    .addOption(output("text", "json"))
    .action(run(async () => (await import("../doctor/doctor.ts")).doctor));

  program
    .command("completion")
    .description("print the script that completes commands, options and environments in a shell")
    .addArgument(new Argument("<shell>", "shell").choices(["bash", "zsh", "fish"]))
    .action(run(async () => (await import("../completion/completion.ts")).completion));

  program
    .command("complete", { hidden: true })
    .argument("[words...]", "the line so far")
    .action(run(async () => (await import("../completion/completion.ts")).complete(program)));

  program
    .command("help")
    .description("explain a command, a topic, or a rule by its code")
    .argument("[topic...]", "what is to be explained")
    .action(run(async () => (await import("../help.ts")).help(program)));
}
