import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops krm`, a KRM function for kustomize and kpt. */
export function declareKrm(program: Program, { io, end }: Runtime): void {
  program
    .command("krm")
    .description("run as a KRM function (kustomize, kpt): read a ResourceList from stdin, print one to stdout")
    .action(async function () {
      end(await (await import("./krm.ts")).krm(this.args, this.optsWithGlobals(), io));
    });
}
