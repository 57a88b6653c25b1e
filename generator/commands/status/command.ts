import { Option } from "@commander-js/extra-typings";
import { context, fluxNamespaceOption, kubeconfig, output, seconds } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops status`, which shows the state of an environment in its cluster. */
export function declareStatus(program: Program, { io, end }: Runtime): void {
  program
    .command("status")
    .argument("[env]", "environment (default: the only environment in the repository)")
    .description("show the state of an environment in its cluster, with causes and fixes for objects that are not ready")
    .addOption(
      new Option("--engine <engine>", "engine that applies the generated files").choices(["flux", "helmfile"]).default("flux"),
    )
    .option("-w, --watch", "wait until the environment is ready, and print each change of its state", false)
    .option("--timeout <seconds>", "maximum duration of --watch", seconds, 900)
    .addOption(kubeconfig())
    .addOption(
      context(
        "kubeconfig context (default: cluster.context in the spec, or the name of the AKS cluster, or the current context)",
      ),
    )
    .addOption(fluxNamespaceOption())
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./status.ts")).status(this.args, this.optsWithGlobals(), io));
    });
}
