import { context, fluxNamespaceOption, kubeconfig } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops env`, which adds, renames and removes environments. */
export function declareEnv(program: Program, { io, end }: Runtime): void {
  const env = program.command("env").description("add, rename and remove environments");
  env
    .command("add")
    .description("write the spec of a new environment, and print the next steps")
    .argument("<env>", "name of the new environment")
    .option("--extends <env>", "spec that the new spec extends", "base")
    .action(async function () {
      end(await (await import("./add.ts")).add(this.args, this.optsWithGlobals(), io));
    });
  env
    .command("rename")
    .description("rename an environment and its identity, and generate the files of all environments")
    .argument("<env>", "environment")
    .argument("<new-name>", "new name")
    .action(async function () {
      end(await (await import("./rename.ts")).rename(this.args, this.optsWithGlobals(), io));
    });
  env
    .command("remove")
    .description("remove the files of an environment that is no longer deployed")
    .argument("<env>", "environment")
    .option("--force", "remove the files even if the environment is still deployed, or if the cluster cannot be reached", false)
    .option("--purge", "also remove the certificates and encrypted files of the environment", false)
    .addOption(kubeconfig())
    .addOption(
      context(
        "kubeconfig context (default: cluster.context in the spec, or the name of the AKS cluster, or the current context)",
      ),
    )
    .addOption(fluxNamespaceOption())
    .action(async function () {
      end(await (await import("./remove.ts")).remove(this.args, this.optsWithGlobals(), io));
    });
}
