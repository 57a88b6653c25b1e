import { type Command, InvalidArgumentError } from "commander";
import { dnsLabel, output } from "./arguments.ts";
import { run } from "./run.ts";

/** What is in the cluster. */
export function declareCluster(program: Command): void {
  program
    .command("status")
    .description("say how the environment stands in its cluster, and what keeps it from being ready")
    .argument("[env]", "environment; may be left out where there is only one")
    .option("--kubeconfig <file>", "kubeconfig; else $KUBECONFIG, the one that bootstrap wrote, or kubectl's")
    .option("--context <name>", "context of the kubeconfig; on Azure the cluster's name, else the current one")
    .option("-n, --namespace <name>", "where Flux lives", dnsLabel, "flux-system")
    .option("-w, --watch", "wait until it is ready, and tell what changes", false)
    .option("--timeout <seconds>", "how long --watch may take", seconds, 900)
    .addOption(output("text", "json"))
    .action(run(async () => (await import("../commands/status.ts")).status));
}

function seconds(text: string): number {
  const count = Number(text.replace(/s$/, ""));
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("expected a number of seconds, such as 600");
}
