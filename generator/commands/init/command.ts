import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops init`: a new platform repository. */
export function declareInit(program: Program, { io, end }: Runtime): void {
  program
    .command("init")
    .description("write a repository to begin with: specs, bases, editor settings, hook, workflows")
    .argument("[dir]", "folder", ".")
    .addOption(new Option("--cluster <kind>", "aks: bootstrap makes it; own: there is one").choices(["aks", "own"]))
    .option("--environments <names>", "names, separated by commas")
    .option("--git-url <url>", "URL of the repository, as Flux clones it")
    .option("--branch <name>", "branch that Flux follows", "main")
    .option("--name <name>", "name of the platform; otherwise the folder's")
    .option("-y, --yes", "ask nothing", false)
    .addOption(
      new Option("--keep", "write into a folder that is not empty, beside what is there").default(false).conflicts("force"),
    )
    .option("--force", "write into a folder that is not empty, over what is there", false)
    .action(async function () {
      end(await (await import("./init.ts")).init(this.args, this.optsWithGlobals(), io));
    });
}
