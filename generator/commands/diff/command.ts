import { Option } from "@commander-js/extra-typings";
import { risks } from "../../components/risk-levels.ts";
import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops diff`: what `generate` would change. */
export function declareDiff(program: Program, { io, end }: Runtime): void {
  program
    .command("diff")
    .description("show what generate would change against a commit, object by object, and what each change risks")
    .argument("[env...]", "environments; all where none is named")
    .option("--from <commit>", "the commit to compare with: a branch, a tag, a hash", "HEAD")
    .addOption(new Option("--fail-on <risk>", "exit 1 only where something changes that is at least as grave").choices(risks))
    .addOption(
      new Option("--scaffold", "show what this version changes in bases, hooks and workflows, as a patch")
        .default(false)
        .conflicts(["from", "failOn", "output"]),
    )
    .addOption(output("text", "json", "markdown"))
    .action(async function () {
      end(await (await import("./diff.ts")).diff(this.args, this.optsWithGlobals(), io));
    });
}
