import { Option } from "@commander-js/extra-typings";
import { context, fluxNamespace, kubeconfig, output, seconds } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops status`: the state of an environment in its cluster. */
export function declareStatus(program: Program, { io, end }: Runtime): void {
  program
    .command("status")
    .argument("[env]", "environment; may be left out where there is only one")
    .description("say how the environment stands in its cluster, and what keeps it from being ready")
    .addOption(new Option("--engine <engine>", "what applies the bundle").choices(["flux", "helmfile"]).default("flux"))
    .option("-w, --watch", "wait until it is ready, and tell what changes", false)
    .option("--timeout <seconds>", "how long --watch may take", seconds, 900)
    .addOption(kubeconfig())
    .addOption(context("context of the kubeconfig; on Azure the cluster's name, else the current one"))
    .addOption(fluxNamespace())
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./status.ts")).status(this.args, this.optsWithGlobals(), io));
    });
}
