import { Option } from "@commander-js/extra-typings";
import { context } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops teardown`, which prints or runs the script that deletes an environment. */
export function declareTeardown(program: Program, { io, end }: Runtime): void {
  program
    .command("teardown")
    .description("print the script that deletes an environment; components are deleted in the reverse of the startup order")
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(new Option("--yes", "with --run: do not ask for confirmation before the deletion").default(false))
    .addOption(new Option("--registry", "also delete the container registry").default(false))
    .addOption(new Option("--group", "also delete the container registry and the resource group").default(false))
    .addOption(
      context(
        "kubectl context of a cluster that is not on Azure (default: cluster.context in the spec, otherwise the current context, which you must confirm)",
      ),
    )
    .action(async function () {
      end(await (await import("./teardown.ts")).teardown(this.args, this.optsWithGlobals(), io));
    });
}
