import { Option } from "@commander-js/extra-typings";
import { context } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops teardown`: the script that deletes an environment. */
export function declareTeardown(program: Program, { io, end }: Runtime): void {
  program
    .command("teardown")
    .description("print the script that takes an environment down again, in reverse order")
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(new Option("--yes", "do not ask for the cluster's name").default(false))
    .addOption(new Option("--registry", "delete the container registry too").default(false))
    .addOption(new Option("--group", "delete registry and resource group too").default(false))
    .addOption(context("kubectl context, for a cluster that is not on Azure; asked for where it is left out"))
    .action(async function () {
      end(await (await import("./teardown.ts")).teardown(this.args, this.optsWithGlobals(), io));
    });
}
