import { context, fluxNamespace, kubeconfig } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops env`, which adds, renames and removes environments. */
export function declareEnv(program: Program, { io, end }: Runtime): void {
  const env = program.command("env").description("add, rename and remove environments");
  env
    .command("add")
    .description("write the spec of a new environment, and print the next steps")
    .argument("<env>", "name of the new environment")
    .option("--extends <env>", "spec that the new one extends", "base")
    .action(async function () {
      end(await (await import("./add.ts")).add(this.args, this.optsWithGlobals(), io));
    });
  env
    .command("rename")
    .description("rename an environment with its identity, and generate its bundle")
    .argument("<env>", "environment")
    .argument("<new-name>", "new name")
    .action(async function () {
      end(await (await import("./rename.ts")).rename(this.args, this.optsWithGlobals(), io));
    });
  env
    .command("remove")
    .description("remove an environment that no longer runs in its cluster")
    .argument("<env>", "environment")
    .option("--force", "remove it even if the cluster still runs it, or cannot be reached", false)
    .option("--purge", "also remove its certificates and encrypted files", false)
    .addOption(kubeconfig())
    .addOption(context("context of the kubeconfig (default: on Azure the cluster's name, else the current context)"))
    .addOption(fluxNamespace())
    .action(async function () {
      end(await (await import("./remove.ts")).remove(this.args, this.optsWithGlobals(), io));
    });
}
