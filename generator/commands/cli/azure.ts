import { type Command, Option } from "commander";
import type { Run } from "./run.ts";

/** Bringing an environment up and taking it down. */
export function declareAzure(program: Command, run: Run): void {
  const context = (): Option =>
    new Option("--context <name>", "kubectl context, for a cluster that is not on Azure; asked for where it is left out");

  program
    .command("bootstrap")
    .description("print the script that brings up Azure's resources and Flux; it can be run again after any failure")
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(new Option("--env", "print the variables of the article's env.sh instead").default(false).conflicts("run"))
    .addOption(context())
    .action(run(async () => (await import("../bootstrap.ts")).bootstrap));

  program
    .command("teardown")
    .description("print the script that takes an environment down again, in reverse order")
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(new Option("--yes", "do not ask for the cluster's name").default(false))
    .addOption(new Option("--registry", "delete the container registry too").default(false))
    .addOption(new Option("--group", "delete registry and resource group too").default(false))
    .addOption(context())
    .action(run(async () => (await import("../teardown.ts")).teardown));
}
