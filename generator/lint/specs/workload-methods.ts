import type { GrpcMethod, GrpcService } from "../../catalog/grpc.ts";
import { routedSets } from "../../components/workloads/entries.ts";
import { readProto } from "../../components/workloads/proto.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type FileRule, type RepositoryFiles, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rule about gRPC methods in the spec. */
const unknownMethodRule: FileRule = {
  code: "workload-method-unknown",
  severity: "error",
  title: "The spec configures a gRPC method that the .proto file of the workload does not define",
  why: "A route matches calls by the name of the method in the .proto file. If the .proto file does not define the method, the retries and the timeout in the spec have no effect.",
  fix: "Use the name of a method in the .proto file.",
  check: unknownMethods,
};

/** Rule about retries of streaming methods. */
const retriedStreamRule: FileRule = {
  code: "workload-method-stream",
  severity: "error",
  title: "A streaming method of a workload cannot be retried",
  why: "To retry a call, a proxy sends the message of the call again. A streaming call has many messages, and the proxy does not keep copies of these messages.",
  fix: "Remove `retry` from the method.",
  check: retriedStreams,
};

/**
 * Returns the gRPC services in a .proto file; empty if the file cannot be read. A separate finding reports a file that
 * cannot be read.
 */
function servicesIn(path: string, { text }: RepositoryFiles): readonly GrpcService[] {
  return readProto(path, text(path) ?? "").services;
}

/** Yields a finding for each gRPC method in the spec that the .proto file of the workload does not define. */
function* unknownMethods(environment: Environment, files: RepositoryFiles): Iterable<RuleFinding> {
  for (const { at, name, methods, proto } of methodSettings(environment, files)) {
    const names = methods.map((method) => method.name);
    if (names.length === 0 || names.includes(name)) continue;
    yield {
      paths: [at()],
      message: `${proto} has no method "${name}"`,
      fix: didYouMean(name, names) ?? `use the name of a method in ${proto}`,
      expected: `one of ${names.join(", ")}`,
    };
  }
}

/** Yields a finding for each streaming method with `retry: true` in the spec. */
function* retriedStreams(environment: Environment, files: RepositoryFiles): Iterable<RuleFinding> {
  for (const { at, name, methods, retry } of methodSettings(environment, files)) {
    const streaming = methods.some((method) => method.name === name && method.streaming);
    if (!streaming || !retry) continue;
    yield {
      paths: [at("retry")],
      message: `${name} is a streaming method, which a proxy cannot retry`,
      fix: "remove retry from this method",
    };
  }
}

interface MethodSetting {
  readonly name: string;
  readonly retry: boolean;
  /** Path of the .proto file. The field `methods` contains the methods that this file defines. */
  readonly proto: string;
  readonly methods: readonly GrpcMethod[];
  readonly at: (...steps: string[]) => RuleFinding["paths"][number];
}

function methodSettings({ spec: { workloads } }: Environment, files: RepositoryFiles): MethodSetting[] {
  return Object.entries(workloads).flatMap(([workload, each]) =>
    routedSets(each).flatMap(({ key, routes }) => {
      const settings = Object.entries(routes.methods);
      const methods = settings.length === 0 ? [] : servicesIn(routes.proto, files).flatMap((service) => service.methods);
      return settings.map(([name, { retry = false }]) => ({
        at: (...steps: string[]): RuleFinding["paths"][number] =>
          spec("workloads", workload, "pods", key, "routes", "methods", name, ...steps),
        ...{ name, retry, methods, proto: routes.proto },
      }));
    }),
  );
}

/** Rules about the gRPC methods of workloads. */
export const workloadMethodRules: readonly FileRule[] = [unknownMethodRule, retriedStreamRule];
