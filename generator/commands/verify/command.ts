import { context, fluxNamespace, kubeconfig, output, seconds } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops verify`: tests of a running cluster. */
export function declareVerify(program: Program, { io, end }: Runtime): void {
  program
    .command("verify")
    .argument("[env]", "environment; may be left out where there is only one")
    .description("test a running cluster: health of the mesh, access to the services, and what tap shows")
    .option("--only <ids>", "tests to run, such as T1,T2,M; T2 is T2a to T2c")
    .option("--baseline", "remove the policies during T0, and restore them: the service is open meanwhile", false)
    .option("--write", "also write test data, and remove it again", false)
    .option("--keep-probes", "leave the probes in the cluster", false)
    .option("--probe-timeout <seconds>", "how long a probe may take, its start included", seconds, 90)
    .option(
      "--image <image>",
      "image of the probes, with curl, grpcurl, api.proto and grpcio (default: the image of the test client)",
    )
    .option("--report <file>", "write a page with the picture and the evidence")
    .addOption(kubeconfig())
    .addOption(context("context of the kubeconfig; on Azure the cluster's name, else the current one"))
    .addOption(fluxNamespace())
    .addOption(output("text", "json", "junit"))
    .action(async function () {
      end(await (await import("./verify.ts")).verifyCommand(this.args, this.optsWithGlobals(), io));
    });
}
