import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops init`, which creates a platform repository. */
export function declareInit(program: Program, { io, end }: Runtime): void {
  program
    .command("init")
    .description("create a platform repository: specs, Kustomize bases, editor settings, a Git hook and CI workflows")
    .argument("[dir]", "folder", ".")
    .addOption(
      new Option(
        "--cluster <kind>",
        "aks: meshops bootstrap creates an AKS cluster; own: you provide an existing cluster",
      ).choices(["aks", "own"]),
    )
    .option("--environments <names>", "names of the environments, separated by commas")
    .option("--git-url <url>", "URL that Flux uses to clone the repository")
    .option("--branch <name>", "branch that Flux applies", "main")
    .option("--name <name>", "name of the platform (default: name of the folder)")
    .option("--no-dgraph", "write specs that contain only Linkerd, without the database Dgraph")
    .option("--existing-linkerd", "write specs for clusters in which another tool installs Linkerd", false)
    .option(
      "--with-client [image]",
      "add the test client of meshops verify; with --cluster own, also specify the image name, without a tag, to which you push the client",
    )
    .option("-y, --yes", "use the defaults instead of prompting", false)
    .addOption(new Option("--keep", "write to a folder that is not empty; keep existing files").default(false).conflicts("force"))
    .option("--force", "write to a folder that is not empty; overwrite existing files", false)
    .action(async function () {
      const { dgraph: database, ...options } = this.optsWithGlobals();
      end(await (await import("./init.ts")).init(this.args, { ...options, database }, io));
    });
}
