import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops krm`, which kustomize and kpt can run as a KRM function. */
export function declareKrm(program: Program, { io, end }: Runtime): void {
  program
    .command("krm")
    .description("run as a KRM function for kustomize or kpt: read a ResourceList from stdin, and print a ResourceList to stdout")
    .action(async function () {
      end(await (await import("./krm.ts")).krm(this.args, this.optsWithGlobals(), io));
    });
}
