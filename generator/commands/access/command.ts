import { Option } from "@commander-js/extra-typings";
import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops access`, which shows the ports that each client can connect to. */
export function declareAccess(program: Program, { io, end }: Runtime): void {
  program
    .command("access")
    .description(
      "show which clients can connect to which ports, and which policies refuse clients that cannot connect; the input is an environment or manifests",
    )
    .argument("[env]", "environment")
    .option("--manifests <path>", "evaluate the policies in a file or a folder of manifests, or in stdin (-)")
    .option("--linkerd <version>", "Linkerd release for --manifests (default: the newest known release)")
    .addOption(new Option("--from <client>", "show only the results for this client, such as orders/api"))
    .addOption(
      new Option(
        "--to <pods>",
        "show only the results for these pods, such as shop/api, or for one of their ports, such as shop/api:http",
      ),
    )
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./access.ts")).access(this.args, this.optsWithGlobals(), io));
    });
}
