import { Option } from "@commander-js/extra-typings";
import { risks } from "../../components/risk-levels.ts";
import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops diff`, which shows the objects that `generate` would change. */
export function declareDiff(program: Program, { io, end }: Runtime): void {
  program
    .command("diff")
    .description(
      "compare a commit with the files that meshops generate would write; show each changed object and the risk of the change",
    )
    .argument("[env...]", "environments (default: all)")
    .option("--from <commit>", "commit to compare with: a branch, tag or hash", "HEAD")
    .addOption(new Option("--fail-on <risk>", "exit 1 only if a change has at least this risk").choices(risks))
    .addOption(
      new Option("--scaffold", "show a patch that updates the bases, hooks and workflows to this version of meshops")
        .default(false)
        .conflicts(["from", "failOn", "output"]),
    )
    .addOption(output("text", "json", "markdown"))
    .action(async function () {
      end(await (await import("./diff.ts")).diff(this.args, this.optsWithGlobals(), io));
    });
}
