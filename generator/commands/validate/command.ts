import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops validate`, which reports every problem of specs or manifests. */
export function declareValidate(program: Program, { io, end }: Runtime): void {
  program
    .command("validate")
    .description("check the environment specs and report every problem at once")
    .argument("[env...]", "environments (default: all)")
    .option("--manifests <path>", "check the Kubernetes objects in a folder or file, or on stdin (-), instead of specs")
    .option("--linkerd <version>", "with --manifests: Linkerd release of objects that do not specify it")
    .addOption(output("text", "json", "sarif", "github"))
    .action(async function () {
      end(await (await import("./validate.ts")).validate(this.args, this.optsWithGlobals(), io));
    });
}
