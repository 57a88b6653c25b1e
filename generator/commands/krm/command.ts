import type { Program, Runtime } from "../runtime.ts";

/** `meshops krm`: a KRM function for kustomize and kpt. */
export function declareKrm(program: Program, { io, end }: Runtime): void {
  program
    .command("krm")
    .description("be a KRM function, for kustomize and kpt: a ResourceList on stdin, one on stdout")
    .action(async function () {
      end(await (await import("./krm.ts")).krm(this.args, this.optsWithGlobals(), io));
    });
}
