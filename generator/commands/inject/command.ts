import type { Program, Runtime } from "../runtime.ts";

/** `meshops inject`: a post-renderer for Helm and helmfile. */
export function declareInject(program: Program, { io, end }: Runtime): void {
  program
    .command("inject")
    .description("inject a stream of manifests, from stdin to stdout: Helm's and helmfile's post-renderer")
    .argument("<config>", "a MeshInjection: which objects, how, and who may talk to them")
    .action(async function () {
      end(await (await import("./inject.ts")).inject(this.args, this.optsWithGlobals(), io));
    });
}
