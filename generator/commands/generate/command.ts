import { Option } from "@commander-js/extra-typings";
import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops generate`: the bundle. */
export function declareGenerate(program: Program, { io, end }: Runtime): void {
  program
    .command("generate")
    .description("write helmfile.yaml, overlays/ and flux/ from the specs")
    .argument("[env...]", "environments; all where none is named")
    .option("--check", "write nothing, and exit 1 where the bundle is not what the specs say", false)
    .addOption(
      new Option("--stdout", "write nothing, and print the bundle as one YAML stream")
        .default(false)
        .conflicts(["check", "output"]),
    )
    .option("--force", "overwrite files that meshops did not write", false)
    .option("--accept-scaffold", "record edited bases, hooks and workflows as up to date", false)
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./generate.ts")).generate(this.args, this.optsWithGlobals(), io));
    });
}
