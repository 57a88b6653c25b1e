import type { GrpcService } from "../../catalog/grpc.ts";
import { readProto } from "../../components/workloads/proto.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import { grpcRoutes } from "../../mesh/grpc-route.ts";
import type { ServiceName } from "../../mesh/service.ts";
import { profileRoutes, serviceProfile } from "../../mesh/service-profile.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { printDiagnostics, readText } from "../load.ts";

export interface ProfileOptions {
  /** Path of the .proto file, or `-` for stdin. */
  readonly proto: string;
  /** Name of the Kubernetes Service. */
  readonly service: string;
  readonly namespace: string;
  readonly clusterDomain: string;
  /**
   * Full or short names of the gRPC services that the Kubernetes Service serves. If undefined, all gRPC services in the
   * file are used.
   */
  readonly grpcService?: readonly string[];
  /** Print GRPCRoutes instead of a ServiceProfile. */
  readonly grpcRoute: boolean;
  /** gRPC port of the Service. Only allowed and required with `grpcRoute`. */
  readonly port?: number;
}

/** `meshops profile`: prints a ServiceProfile or GRPCRoutes for the gRPC methods in a .proto file. */
export function profile(_: readonly string[], options: ProfileOptions, io: Io): number {
  const service: ServiceName = { name: options.service, namespace: options.namespace, clusterDomain: options.clusterDomain };
  const port = routedPort(options);
  const { services, diagnostics } = readProto(options.proto, readText(io, options.proto === "-" ? 0 : options.proto));
  if (diagnostics.length > 0) {
    printDiagnostics(io.stderr, diagnostics);
    return exitCode.problem;
  }
  const routes = profileRoutes(chosen(services, options.grpcService));
  if (routes.length === 0) throw new UserError(exitCode.problem, "the gRPC services of the file have no methods");
  const objects = port === null ? [serviceProfile(service, routes)] : grpcRoutes(service, port, routes);
  io.stdout.write(toYaml(objects));
  return exitCode.ok;
}

/**
 * Returns the port for the GRPCRoutes. Returns null for a ServiceProfile, because a ServiceProfile has no port.
 *
 * @throws UserError (usage) if only one of `--grpc-route` and `--port` is set
 */
function routedPort({ grpcRoute, port }: ProfileOptions): number | null {
  if (!grpcRoute && port === undefined) return null;
  if (grpcRoute && port !== undefined) return port;
  const [missing, given] = grpcRoute ? ["--port", "--grpc-route"] : ["--grpc-route", "--port"];
  const fix = grpcRoute
    ? "set --port to the gRPC port of the Service; a GRPCRoute limits that port to gRPC"
    : "add --grpc-route, or remove --port: a ServiceProfile applies to all ports of its Service";
  throw new UserError(exitCode.usage, `${given} requires ${missing}`, fix);
}

function chosen(services: readonly GrpcService[], names: readonly string[] = []): GrpcService[] {
  const known = services.map(({ name }) => name);
  const short = known.map((name) => name.replace(/^.*\./, ""));
  const is = (service: GrpcService, name: string): boolean => service.name === name || service.name.endsWith(`.${name}`);
  const unknown = names.find((name) => !services.some((service) => is(service, name)));
  if (unknown !== undefined)
    throw new UserError(
      exitCode.problem,
      `the file does not define a gRPC service "${unknown}"`,
      didYouMean(unknown, [...known, ...short]) ?? `use one of ${known.join(", ")}`,
    );
  return services.filter((service) => names.length === 0 || names.some((name) => is(service, name)));
}
