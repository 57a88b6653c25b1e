import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { dnsLabel, output } from "./arguments.ts";
import type { Program, Runtime } from "./runtime.ts";

/** What is in the cluster. */
export function declareCluster(program: Program, { io, end }: Runtime): void {
  inCluster(program, "status")
    .description("say how the environment stands in its cluster, and what keeps it from being ready")
    .addOption(new Option("--engine <engine>", "what applies the bundle").choices(["flux", "helmfile"]).default("flux"))
    .option("-w, --watch", "wait until it is ready, and tell what changes", false)
    .option("--timeout <seconds>", "how long --watch may take", seconds, 900)
    .addOption(output("text", "json"))
    .action(async function () {
      end(await (await import("../status/status.ts")).status(this.args, this.optsWithGlobals(), io));
    });
  inCluster(program, "verify")
    .description("test a running cluster: health of the mesh, access to the services, and what tap shows")
    .option("--only <ids>", "tests to run, such as T1,T2,M; T2 is T2a to T2c")
    .option("--baseline", "remove the policies during T0, and restore them: the service is open meanwhile", false)
    .option("--write", "also write test data, and remove it again", false)
    .option("--keep", "leave the probes in the cluster", false)
    .option("--timeout <seconds>", "how long a probe may take, its start included", seconds, 90)
    .option(
      "--image <image>",
      "image of the probes, with curl, grpcurl, api.proto and grpcio (default: the image of the test client)",
    )
    .option("--report <file>", "write a page with the picture and the evidence")
    .addOption(output("text", "json", "junit"))
    .action(async function () {
      end(await (await import("../verify/verify.ts")).verifyCommand(this.args, this.optsWithGlobals(), io));
    });
}

/** A command about an environment in a cluster, with the flags that choose the cluster. */
function inCluster(program: Program, name: string) {
  return program
    .command(name)
    .argument("[env]", "environment; may be left out where there is only one")
    .option("--kubeconfig <file>", "kubeconfig; else $KUBECONFIG, the one that bootstrap wrote, or kubectl's")
    .option("--context <name>", "context of the kubeconfig; on Azure the cluster's name, else the current one")
    .option("-n, --namespace <name>", "where Flux lives", dnsLabel, "flux-system");
}

function seconds(text: string): number {
  const count = Number(text.replace(/s$/, ""));
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError("expected a number of seconds, such as 600");
}
