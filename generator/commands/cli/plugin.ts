import type { Program, Runtime } from "./runtime.ts";

/** In other people's pipes: kustomize, helm, helmfile. */
export function declarePlugin(program: Program, { io, end }: Runtime): void {
  program
    .command("inject")
    .description("inject a stream of manifests, from stdin to stdout: Helm's and helmfile's post-renderer")
    .argument("<config>", "a MeshInjection: which objects, how, and who may talk to them")
    .action(async function () {
      end(await (await import("../inject.ts")).inject(this.args, this.optsWithGlobals(), io));
    });

  program
    .command("krm")
    .description("be a KRM function, for kustomize and kpt: a ResourceList on stdin, one on stdout")
    .action(async function () {
      end(await (await import("../krm.ts")).krm(this.args, this.optsWithGlobals(), io));
    });
}
