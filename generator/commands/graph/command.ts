import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops graph`: pictures of order and access. */
export function declareGraph(program: Program, { io, end }: Runtime): void {
  program
    .command("graph")
    .description("draw in which order an environment comes up, and who may talk to whom; of two environments, what differs")
    .argument("<env>", "environment")
    .argument("[other]", "the environment to put beside it")
    .addOption(new Option("-o, --output <format>", "how to draw").choices(["mermaid", "svg", "html"]).default("mermaid"))
    .addOption(new Option("--show <picture>", "one of the pictures alone").choices(["order", "traffic"]))
    .action(async function () {
      end(await (await import("./graph.ts")).graph(this.args, this.optsWithGlobals(), io));
    });
}
