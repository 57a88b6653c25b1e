import { dnsLabel, dnsName, portNumber } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** Declares `meshops profile`, which prints a ServiceProfile for the gRPC methods in a .proto file. */
export function declareProfile(program: Program, { io, end }: Runtime): void {
  program
    .command("profile")
    .description("print a ServiceProfile for the gRPC methods in a .proto file")
    .requiredOption("--proto <file>", ".proto file, or - for stdin")
    .requiredOption("--service <name>", "name of the Kubernetes Service; the Service must not be headless", dnsLabel)
    .requiredOption("--namespace <name>", "namespace of the Service", dnsLabel)
    .option("--cluster-domain <domain>", "DNS domain of the cluster", dnsName, "cluster.local")
    .option(
      "--grpc-service <name...>",
      "gRPC services that the Kubernetes Service serves (default: all gRPC services in the file)",
    )
    .option("--grpc-route", "print GRPCRoutes instead of a ServiceProfile", false)
    .option("--port <number>", "gRPC port of the Service; required by --grpc-route", portNumber)
    .action(async function () {
      end(await (await import("./profile.ts")).profile(this.args, this.optsWithGlobals(), io));
    });
}
