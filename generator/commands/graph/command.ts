import { Option } from "@commander-js/extra-typings";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops graph`, which draws the startup order and the allowed access. */
export function declareGraph(program: Program, { io, end }: Runtime): void {
  program
    .command("graph")
    .description(
      "draw the startup order and the allowed access of an environment; if you specify a second environment, mark the differences",
    )
    .argument("<env>", "environment")
    .argument("[other]", "environment to compare with")
    .addOption(new Option("-o, --output <format>", "output format").choices(["mermaid", "svg", "html"]).default("mermaid"))
    .addOption(new Option("--show <graph>", "draw only this graph").choices(["order", "traffic"]))
    .action(async function () {
      end(await (await import("./graph.ts")).graph(this.args, this.optsWithGlobals(), io));
    });
}
