import type { KubernetesObject } from "../kubernetes/object.ts";
import type { ServiceName } from "./service.ts";
import type { MethodRoute } from "./service-profile.ts";

/**
 * GRPCRoutes of a Service's port, which becomes a gRPC port by them: one a method, since Linkerd reads retries and timeouts from a route's
 * annotations and names its metrics by the route, and one that takes all other methods, which would else be refused
 * (linkerd2, policy-controller, outbound/index/grpc.rs; linkerd2-proxy, http/route). Needs Linkerd 2.16 or newer.
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
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GRPCRoute",
    metadata: { name, namespace, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: {
      parentRefs: [{ group: "", kind: "Service", name: service, port }],
      rules: [{ ...(matches === null ? {} : { matches }), backendRefs: [{ name: service, port }] }],
    },
  };
}

/** Linkerd docs, "Retries" and "Timeouts". `unavailable` is what gRPC itself calls safe to repeat. */
function annotations({ retry, timeout }: MethodRoute): Record<string, string> {
  return {
    ...(retry ? { "retry.linkerd.io/grpc": "unavailable" } : {}),
    ...(timeout === null ? {} : { "timeout.linkerd.io/request": timeout }),
  };
}

/** Longest name that leaves room for a number behind it (Kubernetes takes 253 characters). */
const maxName = 240;

/** `UpdateExtSnapshot` as `update-ext-snapshot`, `AllocateIDs` as `allocate-ids`: words in lower case, as Kubernetes wants names. */
function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z])([A-Z][a-z]{2})/g, "$1-$2")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .toLowerCase();
}

/** The name, or where it is taken the first with a number behind it that is not. */
function unused(name: string, taken: Set<string>): string {
  let free = name.replace(/-+$/, "");
  for (let next = 2; taken.has(free); next += 1) free = `${name}-${next}`;
  taken.add(free);
  return free;
}
