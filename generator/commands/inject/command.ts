import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops inject`, which Helm and helmfile can run as a post-renderer. */
export function declareInject(program: Program, { io, end }: Runtime): void {
  program
    .command("inject")
    .description(
      "add mesh injection and policies to the manifests on stdin; Helm and helmfile can run this command as a post-renderer",
    )
    .argument("<config>", "file with a MeshInjection: the objects to inject, the proxy settings and the allowed clients")
    .action(async function () {
      end(await (await import("./inject.ts")).inject(this.args, this.optsWithGlobals(), io));
    });
}
