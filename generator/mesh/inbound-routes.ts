import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt, mapAt } from "../kubernetes/object-fields.ts";
import { probesOf } from "../kubernetes/probes.ts";
import { podContainers } from "./pod.ts";
import { isAttachedTo } from "./policy-readers.ts";

/**
 * Returns the routes that are attached to a Server. A Server with an attached route has no automatic routes for probes.
 */
export function attachedRoutes(server: KubernetesObject, objects: readonly KubernetesObject[]): KubernetesObject[] {
  return objects.filter(
    ({ kind, metadata, spec }) =>
      (kind === "HTTPRoute" || kind === "GRPCRoute") &&
      metadata.namespace === server.metadata.namespace &&
      isAttachedTo(spec, server.metadata.name),
  );
}

/**
 * Returns the route that a request uses. This is the route with the most specific match of the path (Gateway API,
 * HTTPRoute). Assumes that the request meets all matches of headers and query parameters. If the path is null, every
 * route matches. Returns null if no route matches.
 */
export function routeFor(routes: readonly KubernetesObject[], path: string | null): KubernetesObject | null {
  const weighted = routes.map((route) => ({ route, weight: weightOf(route, path) })).filter(({ weight }) => weight >= 0);
  weighted.sort((a, b) => b.weight - a.weight);
  return weighted[0]?.route ?? null;
}

/**
 * Returns the weight of the most specific match of a route. The weight of a match is the length of the path in the
 * match, plus 1 if the match is exact. Returns -1 if the route does not match.
 */
function weightOf(route: KubernetesObject, path: string | null): number {
  const weights = listAt(route, "spec", "rules").flatMap((rule) => {
    const matches = listAt(rule, "matches");
    return matches.length === 0 ? [0] : matches.map((match) => weightOfMatch(match, path));
  });
  return Math.max(-1, ...weights);
}

function weightOfMatch(match: unknown, path: string | null): number {
  const { type = "PathPrefix", value = "/" } = mapAt(match, "path");
  const method = at(match, "method");
  if (path !== null && typeof method === "string" && method !== "GET") return -1;
  if (path === null || at(match, "path") === undefined) return 0;
  const wanted = String(value);
  if (type === "Exact") return path === wanted ? wanted.length + 1 : -1;
  if (type === "RegularExpression") return matchesExpression(wanted, path) ? wanted.length : -1;
  const folder = wanted.replace(/\/$/, "");
  return path === wanted || path === folder || path.startsWith(`${folder}/`) ? wanted.length : -1;
}

/** Whether a path matches a regular expression. Returns false if the expression is not valid. */
function matchesExpression(expression: string, path: string): boolean {
  try {
    return new RegExp(`^(?:${expression})$`).test(path);
  } catch {
    return false;
  }
}

/**
 * Returns the paths of a pod's HTTP probes that use a port. The policy controller admits GET requests on these paths
 * from all clients. The policy controller ignores gRPC and HTTPS probes (linkerd2,
 * policy-controller/k8s/index/src/inbound, pod_http_probes).
 */
export function probePaths(pod: KubernetesObject, port: number): string[] {
  const probes = podContainers(pod).flatMap(probesOf);
  return probes.filter((probe) => probe.kind === "http" && probe.port === port).map(({ path }) => path);
}
