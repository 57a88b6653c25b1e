import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops validate`: every problem of specs or manifests. */
export function declareValidate(program: Program, { io, end }: Runtime): void {
  program
    .command("validate")
    .description("check the environment specs and report every problem at once")
    .argument("[env...]", "environments; all where none is named")
    .option("--manifests <path>", "judge the Kubernetes objects of a folder or file, or of stdin (-), instead of specs")
    .option("--linkerd <version>", "with --manifests: the Linkerd that they run under, where they do not say")
    .addOption(output("text", "json", "sarif", "github"))
    .action(async function () {
      end(await (await import("./validate.ts")).validate(this.args, this.optsWithGlobals(), io));
    });
}
