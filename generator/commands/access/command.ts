import { Option } from "@commander-js/extra-typings";
import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops access`, which shows which clients reach which ports. */
export function declareAccess(program: Program, { io, end }: Runtime): void {
  program
    .command("access")
    .description("show which clients reach which ports of an environment or of manifests, and which policy refuses the others")
    .argument("[env]", "environment")
    .option("--manifests <path>", "evaluate the policies in a file or a folder of manifests, or in stdin (-)")
    .option("--linkerd <version>", "Linkerd release for --manifests (default: the newest known release)")
    .addOption(new Option("--from <client>", "only this client, such as orders/api"))
    .addOption(new Option("--to <pods>", "only these pods, such as shop/api or shop/api:http"))
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./access.ts")).access(this.args, this.optsWithGlobals(), io));
    });
}
