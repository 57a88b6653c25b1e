import { Option } from "@commander-js/extra-typings";
import { context } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops bootstrap`: the script that creates Azure's resources and installs Flux. */
export function declareBootstrap(program: Program, { io, end }: Runtime): void {
  program
    .command("bootstrap")
    .description("print the script that brings up Azure's resources and Flux; it can be run again after any failure")
    .argument("<env>", "environment")
    .addOption(new Option("--run", "run the script").default(false))
    .addOption(new Option("--env", "print the variables of the article's env.sh instead").default(false).conflicts("run"))
    .addOption(context("kubectl context, for a cluster that is not on Azure; asked for where it is left out"))
    .action(async function () {
      end(await (await import("./bootstrap.ts")).bootstrap(this.args, this.optsWithGlobals(), io));
    });
}
