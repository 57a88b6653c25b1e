import { Option } from "@commander-js/extra-typings";
import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops images`, which lists the container images that the environments use. */
export function declareImages(program: Program, { io, end }: Runtime): void {
  program
    .command("images")
    .description("list every container image that the environments use")
    .argument("[env...]", "environments (default: all)")
    .addOption(
      new Option("--mirror", "print the commands that copy the images to the environment's registry")
        .default(false)
        .conflicts("output"),
    )
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./images.ts")).images(this.args, this.optsWithGlobals(), io));
    });
}
