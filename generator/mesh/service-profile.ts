import type { GrpcService } from "../catalog/grpc.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { hostOf, type ServiceName } from "./service.ts";

/** How calls of a method are treated; a timeout is a whole number with the unit ms, s or m, and counts retries in. */
export interface MethodOptions {
  readonly retry?: boolean;
  readonly timeout?: string;
}

/** A gRPC method as the mesh routes it. */
export interface MethodRoute {
  /** What metrics and tap call it. */
  readonly name: string;
  /** Full name of the gRPC service: `package.Service`. */
  readonly service: string;
  readonly method: string;
  readonly retry: boolean;
  readonly timeout: string | null;
}

/**
 * The routes of gRPC services, in the order of their methods. A method that is idempotent and no stream is retried unless `options` say
 * otherwise: proxies repeat a call by sending its one message again. Names are the methods' own, with the service's before them
 * where there are several.
 */
export function routesOf(services: readonly GrpcService[], options: Readonly<Record<string, MethodOptions>> = {}): MethodRoute[] {
  return services.flatMap(({ name: service, methods }) =>
    methods.map(({ name: method, idempotent, streaming }) => {
      const { retry, timeout } = options[method] ?? {};
      return {
        name: services.length === 1 ? method : `${service}/${method}`,
        service,
        method,
        retry: !streaming && (retry ?? idempotent),
        timeout: timeout ?? null,
      };
    }),
  );
}

/**
 * The ServiceProfile of a Service. Its name is the Service's own host name, by which proxies look it up: under any other it is
 * never found. Conditions are those that `linkerd profile --proto` writes (linkerd2, pkg/profiles/proto.go).
 */
export function serviceProfile(service: ServiceName, routes: readonly MethodRoute[]): KubernetesObject {
  return {
    apiVersion: "linkerd.io/v1alpha2",
    kind: "ServiceProfile",
    metadata: { name: hostOf(service), namespace: service.namespace },
    spec: {
      routes: routes.map((route) => ({
        name: route.name,
        condition: { method: "POST", pathRegex: `/${route.service.replaceAll(".", "\\.")}/${route.method}` },
        ...(route.retry ? { isRetryable: true } : {}),
        ...(route.timeout === null ? {} : { timeout: route.timeout }),
      })),
    },
  };
}
