import { dnsLabel, dnsName, portNumber } from "../options.ts";
import type { Program, Runtime } from "../runtime.ts";

/** `meshops profile`: a ServiceProfile from a .proto file. */
export function declareProfile(program: Program, { io, end }: Runtime): void {
  program
    .command("profile")
    .description("print the ServiceProfile of a Service from the gRPC methods of a .proto file")
    .requiredOption("--proto <file>", "the .proto file; - reads stdin")
    .requiredOption("--service <name>", "the Kubernetes Service, which must not be headless", dnsLabel)
    .requiredOption("--namespace <name>", "its namespace", dnsLabel)
    .option("--cluster-domain <domain>", "domain of the cluster", dnsName, "cluster.local")
    .option("--grpc-service <name...>", "gRPC services that it serves; all of the file where none is named")
    .option("--grpc-route", "print GRPCRoutes instead", false)
    .option("--port <number>", "the Service's port that speaks gRPC, for --grpc-route", portNumber)
    .action(async function () {
      end(await (await import("./profile.ts")).profile(this.args, this.optsWithGlobals(), io));
    });
}
