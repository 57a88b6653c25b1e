import { context, fluxNamespaceOption, kubeconfig, output, seconds } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops verify`, which tests an environment in its running cluster. */
export function declareVerify(program: Program, { io, end }: Runtime): void {
  program
    .command("verify")
    .argument("[env]", "environment (default: the only environment in the repository)")
    .description("test a running cluster: the health of the mesh, the access to the services, and the traffic that tap reports")
    .option("--only <ids>", "IDs or prefixes of the tests to run, such as T1,T2,M; T2 selects T2a to T2c")
    .option(
      "--baseline",
      "also run test T0 if policies exist: remove the policies, run T0, and restore the policies; during T0, all pods can connect to the service",
      false,
    )
    .option("--write", "also write test data to the service, and delete the test data at the end", false)
    .option("--keep-probes", "do not delete the probe pods", false)
    .option("--probe-timeout <seconds>", "maximum duration of a probe, including the time to start its pod", seconds, 90)
    .option(
      "--image <image>",
      "image of the probe pods; must contain curl, grpcurl, api.proto and grpcio (default: verify.image in the spec, otherwise the image of the test client)",
    )
    .option("--report <file>", "write an HTML page with the access graph and the evidence for each result")
    .addOption(kubeconfig())
    .addOption(
      context(
        "kubeconfig context (default: cluster.context in the spec, or the name of the AKS cluster, or the current context)",
      ),
    )
    .addOption(fluxNamespaceOption())
    .addOption(output("text", "json", "junit"))
    .action(async function () {
      end(await (await import("./verify.ts")).runVerify(this.args, this.optsWithGlobals(), io));
    });
}
