import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/**
 * Declares `meshops graph`, which draws the startup order of an environment's components, and the clients that can
 * connect to its pods.
 */
export function declareGraph(program: Program, { io, end }: Runtime): void {
  program
    .command("graph")
    .description(
      "draw the startup order of the components and the access to the pods; with two environments, also mark the differences",
    )
    .argument("<env>", "environment")
    .argument("[other]", "environment to compare with")
    .addOption(new Option("-o, --output <format>", "output format").choices(["mermaid", "svg", "html"]).default("mermaid"))
    .addOption(new Option("--show <graph>", "draw only this graph").choices(["order", "traffic"]))
    .action(async function () {
      end(await (await import("./graph.ts")).graph(this.args, this.optsWithGlobals(), io));
    });
}
