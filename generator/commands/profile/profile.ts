import type { GrpcService } from "../../catalog/grpc.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { toYaml } from "../../kubernetes/yaml.ts";
import { grpcRoutes } from "../../mesh/grpc-route.ts";
import type { ServiceName } from "../../mesh/service.ts";
import { routesOf, serviceProfile } from "../../mesh/service-profile.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { printDiagnostics, readText } from "../context.ts";
import type { Io } from "../io.ts";
import { readProto } from "./proto.ts";

export interface ProfileOptions {
  /** Path of the .proto file; `-` reads stdin. */
  readonly proto: string;
  /** Name of the Kubernetes Service. */
  readonly service: string;
  readonly namespace: string;
  readonly clusterDomain: string;
  /** Full or short names of the gRPC services that the Service serves; all of the file where none is named. */
  readonly grpcService?: readonly string[];
  /** Make GRPCRoutes instead of a ServiceProfile. */
  readonly grpcRoute: boolean;
  /** The Service's port that speaks gRPC. */
  readonly port?: number;
}

/** `meshops profile`: prints the ServiceProfile, or the GRPCRoutes, of a Service whose methods a .proto file names. */
export function profile(_: readonly string[], options: ProfileOptions, io: Io): number {
  const service: ServiceName = { name: options.service, namespace: options.namespace, clusterDomain: options.clusterDomain };
  const port = routedPort(options);
  const { services, diagnostics } = readProto(options.proto, readText(io, options.proto === "-" ? 0 : options.proto));
  if (diagnostics.length > 0) {
    printDiagnostics(io.stderr, diagnostics);
    return exitCode.problem;
  }
  const routes = routesOf(chosen(services, options.grpcService));
  if (routes.length === 0) throw new UserError(exitCode.problem, "the gRPC services of the file have no methods");
  const objects = port === null ? [serviceProfile(service, routes)] : grpcRoutes(service, port, routes);
  io.stdout.write(toYaml(objects));
  return exitCode.ok;
}

/** The port that GRPCRoutes are for; null for a ServiceProfile, which knows none. */
function routedPort({ grpcRoute, port }: ProfileOptions): number | null {
  if (!grpcRoute && port === undefined) return null;
  if (grpcRoute && port !== undefined) return port;
  const [missing, given] = grpcRoute ? ["--port", "--grpc-route"] : ["--grpc-route", "--port"];
  const fix = grpcRoute
    ? "name the Service's port that speaks gRPC; a route makes that port gRPC only"
    : "a ServiceProfile holds for all ports of its Service";
  throw new UserError(exitCode.usage, `${given} needs ${missing}`, fix);
}

function chosen(services: readonly GrpcService[], names: readonly string[] = []): GrpcService[] {
  const known = services.map(({ name }) => name);
  const short = known.map((name) => name.replace(/^.*\./, ""));
  const is = (service: GrpcService, name: string): boolean => service.name === name || service.name.endsWith(`.${name}`);
  const unknown = names.find((name) => !services.some((service) => is(service, name)));
  if (unknown !== undefined)
    throw new UserError(
      exitCode.problem,
      `the file defines no gRPC service "${unknown}"`,
      didYouMean(unknown, [...known, ...short]) ?? `it defines ${known.join(", ")}`,
    );
  return services.filter((service) => names.length === 0 || names.some((name) => is(service, name)));
}
