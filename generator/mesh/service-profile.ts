import type { GrpcService } from "../catalog/grpc.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { hostOf, type ServiceName } from "./service.ts";

/** Retries and timeout of a method. The timeout is a whole number with the unit ms, s or m, and includes retries. */
export interface MethodOptions {
  readonly retry?: boolean;
  readonly timeout?: string;
}

/** A gRPC method as the mesh routes it. */
export interface MethodRoute {
  /** Name of the route in metrics and tap. */
  readonly name: string;
  /** Full name of the gRPC service: `package.Service`. */
  readonly service: string;
  readonly method: string;
  readonly retry: boolean;
  readonly timeout: string | null;
}

/**
 * Routes of gRPC services, in the order of their methods. Idempotent methods are retried unless `options` override it.
 * Streaming methods are never retried, because a proxy retries a call by sending its single message again. A route has
 * the name of its method, prefixed with the service if there are several services.
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
 * ServiceProfile of a Service. Its name must be the host name of the Service, by which proxies look it up. The
 * conditions are those that `linkerd profile --proto` writes (linkerd2, pkg/profiles/proto.go).
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
