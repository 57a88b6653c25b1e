import { Option } from "@commander-js/extra-typings";
import { output } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops access`, which shows the ports that each client can connect to. */
export function declareAccess(program: Program, { io, end }: Runtime): void {
  program
    .command("access")
    .description(
      "show which ports each client can connect to, for an environment or for manifests; with --from and --to, also show the policies that decide",
    )
    .argument("[env]", "environment")
    .option("--manifests <path>", "read the policies from a file, a folder or stdin (-), instead of from an environment")
    .option(
      "--linkerd <version>",
      "with --manifests: Linkerd release of the cluster (default: the newest release that meshops knows)",
    )
    .addOption(new Option("--from <client>", "show only the results for this client, such as orders/api"))
    .addOption(
      new Option("--to <pods>", "show only the results for these pods (shop/api), or for one port of these pods (shop/api:http)"),
    )
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("./access.ts")).access(this.args, this.optsWithGlobals(), io));
    });
}
