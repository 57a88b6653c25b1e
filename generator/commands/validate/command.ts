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
      "with --manifests: Linkerd release of objects that do not specify a release; none: do not check the rules about Linkerd",
    )
    .option(
      "--render",
      "also render the workloads that have a source, with helm and kustomize, and compare the objects with the specs",
    )
    .option("--no-identity", "do not check certificates and encrypted files; these files can also be missing")
    .addOption(output("text", "json", "sarif", "github"))
    .action(async function () {
      end(await (await import("./validate.ts")).validate(this.args, this.optsWithGlobals(), io));
    });
}
