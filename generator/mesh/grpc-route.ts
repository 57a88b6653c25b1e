import { gatewayGroup } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import type { ServiceName } from "./service.ts";
import type { MethodRoute } from "./service-profile.ts";

/**
 * Returns the GRPCRoutes for a port of a Service. Linkerd treats a port with a GRPCRoute as a gRPC port. Each method
 * has its own route, because Linkerd reads retries and timeouts from the annotations of a route and uses the route's
 * name in metrics. An additional route matches all other methods, because Linkerd refuses requests that match no route
 * (linkerd2, policy-controller, outbound/index/grpc.rs; linkerd2-proxy, http/route). GRPCRoutes require Linkerd 2.16 or
 * later.
 */
export function grpcRoutes(service: ServiceName, port: number, routes: readonly MethodRoute[]): KubernetesObject[] {
  const taken = new Set<string>();
  const name = (suffix: string): string => unused(`${service.name}-${suffix}`.slice(0, maxName), taken);
  const others = route(service, port, name("other-methods"), {}, null);
  return [
    ...routes.map((of) =>
      route(service, port, name(kebab(of.name)), annotations(of), [{ method: { service: of.service, method: of.method } }]),
    ),
    others,
  ];
}

function route(
  { name: service, namespace }: ServiceName,
  port: number,
  name: string,
  annotations: Readonly<Record<string, string>>,
  matches: readonly object[] | null,
): KubernetesObject {
  return {
    apiVersion: `${gatewayGroup}/v1`,
    kind: "GRPCRoute",
    metadata: { name, namespace, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: {
      parentRefs: [{ group: "", kind: "Service", name: service, port }],
      rules: [{ ...(matches === null ? {} : { matches }), backendRefs: [{ name: service, port }] }],
    },
  };
}

/**
 * Returns the annotations for retries and timeouts (Linkerd docs, "Retries" and "Timeouts"). The proxy retries only
 * calls that fail with the status `unavailable`, because gRPC defines that these calls can be retried safely.
 */
function annotations({ retry, timeout }: MethodRoute): Record<string, string> {
  return {
    ...(retry ? { "retry.linkerd.io/grpc": "unavailable" } : {}),
    ...(timeout === null ? {} : { "timeout.linkerd.io/request": timeout }),
  };
}

/** Maximum length of a name before a number is appended. Kubernetes allows 253 characters. */
const maxName = 240;

/**
 * Converts a name to lower-case words that are joined by hyphens, as Kubernetes requires: `UpdateExtSnapshot` becomes
 * `update-ext-snapshot`, and `AllocateIDs` becomes `allocate-ids`.
 */
function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z])([A-Z][a-z]{2})/g, "$1-$2")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .toLowerCase();
}

/**
 * Returns the given name if the name is not taken. Otherwise, returns the name with the first appended number that
 * makes it unique.
 */
function unused(name: string, taken: Set<string>): string {
  let free = name.replace(/-+$/, "");
  for (let next = 2; taken.has(free); next += 1) free = `${name}-${next}`;
  taken.add(free);
  return free;
}
