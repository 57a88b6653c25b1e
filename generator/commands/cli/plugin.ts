import type { Command } from "commander";
import type { Run } from "./run.ts";

/** In other people's pipes: kustomize, helm, helmfile. */
export function declarePlugin(program: Command, run: Run): void {
  program
    .command("inject")
    .description("inject a stream of manifests, from stdin to stdout: Helm's and helmfile's post-renderer")
    .argument("<config>", "a MeshInjection: which objects, how, and who may talk to them")
    .action(run(async () => (await import("../inject.ts")).inject));

  program
    .command("krm")
    .description("be a KRM function, for kustomize and kpt: a ResourceList on stdin, one on stdout")
    .action(run(async () => (await import("../krm.ts")).krm));
}
