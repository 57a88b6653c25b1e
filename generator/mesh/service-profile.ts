import type { GrpcService } from "../catalog/grpc.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { hostOf, type ServiceName } from "./service.ts";

/**
 * Retries and timeout of a method. The timeout is a whole number with the unit ms, s or m. The timeout limits the total
 * time of a call, including all its retries.
 */
export interface MethodOptions {
  readonly retry?: boolean;
  readonly timeout?: string;
}

/** A gRPC method, with the name and the settings of its route. */
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
 * Returns one route for each method of gRPC services, in the order of the methods. `options` specifies which methods
 * are retried. By default, idempotent methods are retried. Streaming methods are never retried, because a proxy can
 * repeat a call only if the call has a single message. The name of a route is the name of its method. If there are
 * several services, the name of a route starts with the name of the service.
 */
export function profileRoutes(
  services: readonly GrpcService[],
  options: Readonly<Record<string, MethodOptions>> = {},
): MethodRoute[] {
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
 * Returns the ServiceProfile of a Service. A ServiceProfile must have the host name of the Service as its name, because
 * proxies look up the ServiceProfile by this host name. The conditions of the routes are the same as in the output of
 * `linkerd profile --proto` (linkerd2, pkg/profiles/proto.go).
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
