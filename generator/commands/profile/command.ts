import { dnsLabel, dnsName, portNumber } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops profile`, which makes a ServiceProfile from a .proto file. */
export function declareProfile(program: Program, { io, end }: Runtime): void {
  program
    .command("profile")
    .description("print the ServiceProfile of a Service from the gRPC methods of a .proto file")
    .requiredOption("--proto <file>", ".proto file; - for stdin")
    .requiredOption("--service <name>", "Kubernetes Service; must not be headless", dnsLabel)
    .requiredOption("--namespace <name>", "namespace of the Service", dnsLabel)
    .option("--cluster-domain <domain>", "domain of the cluster", dnsName, "cluster.local")
    .option("--grpc-service <name...>", "gRPC services of the Service (default: all in the file)")
    .option("--grpc-route", "print GRPCRoutes instead of a ServiceProfile", false)
    .option("--port <number>", "gRPC port of the Service; required by --grpc-route", portNumber)
    .action(async function () {
      end(await (await import("./profile.ts")).profile(this.args, this.optsWithGlobals(), io));
    });
}
