import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "./runtime.ts";

/** Bringing an environment up and taking it down. */
export function declareAzure(program: Program, { io, end }: Runtime): void {
  const context = () =>
    new Option("--context <name>", "kubectl context, for a cluster that is not on Azure; asked for where it is left out");

  program
    .command("bootstrap")
    .description("print the script that brings up Azure's resources and Flux; it can be run again after any failure")
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(new Option("--env", "print the variables of the article's env.sh instead").default(false).conflicts("run"))
    .addOption(context())
    .action(async function () {
      end(await (await import("../bootstrap.ts")).bootstrap(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("teardown")
    .description("print the script that takes an environment down again, in reverse order")
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(new Option("--yes", "do not ask for the cluster's name").default(false))
    .addOption(new Option("--registry", "delete the container registry too").default(false))
    .addOption(new Option("--group", "delete registry and resource group too").default(false))
    .addOption(context())
    .action(async function () {
      end(await (await import("../teardown.ts")).teardown(this.args, this.optsWithGlobals(), io));
    });
}
