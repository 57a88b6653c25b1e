import { Option } from "@commander-js/extra-typings";
import { context } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops bootstrap`, which prints or runs the script that creates Azure resources and installs Flux. */
export function declareBootstrap(program: Program, { io, end }: Runtime): void {
  program
    .command("bootstrap")
    .description(
      "print the script that creates Azure resources and installs Flux; you can run the script again after any failure",
    )
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(
      new Option("--env", "instead of the script, print the environment variables for manual steps")
        .default(false)
        .conflicts("run"),
    )
    .addOption(
      new Option("--upgrade-flux", "if the cluster already has another version of Flux, change the version").default(false),
    )
    .addOption(
      context(
        "kubectl context of a cluster that is not on Azure (default: cluster.context in the spec, otherwise the current context, which you must confirm)",
      ),
    )
    .action(async function () {
      end(await (await import("./bootstrap.ts")).bootstrap(this.args, this.optsWithGlobals(), io));
    });
}
