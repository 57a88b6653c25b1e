import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops validate`, which reports the problems of specs or manifests. */
export function declareValidate(program: Program, { io, end }: Runtime): void {
  program
    .command("validate")
    .description("check the environment specs and report all problems")
    .argument("[env...]", "environments (default: all)")
    .option("--manifests <path>", "check the Kubernetes objects in a folder or a file, or on stdin (-), instead of the specs")
    .option(
      "--linkerd <version>",
      "with --manifests: Linkerd release for objects that do not specify a release; with the value none, rules about Linkerd are not checked",
    )
    .option(
      "--render",
      "also use helm and kustomize to render the workloads that meshops delivers, and compare the rendered objects with the specs",
    )
    .option(
      "--no-identity",
      "do not check certificates and encrypted files, and accept environments that have no certificates or encrypted files",
    )
    .addOption(output("text", "json", "sarif", "github"))
    .action(async function () {
      end(await (await import("./validate.ts")).validate(this.args, this.optsWithGlobals(), io));
    });
}
