import { proxyPorts } from "../catalog/linkerd.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import type { Attempt, Installation } from "./attempt.ts";
import { defaultPolicyOf, requiresIdentity, treatmentBy } from "./inbound-default.ts";
import {
  type Authorization,
  admitsClient,
  authorizationsOf,
  authorizationsOfRoute,
  type ProxyClient,
  serverOf,
} from "./inbound-policy.ts";
import { attachedRoutes, probePaths, routeFor } from "./inbound-routes.ts";
import { isOpaqueForClients, isOpaqueForServer } from "./ports.ts";

/**
 * Reason for the decision of a proxy. `no-proxy`: the connection bypasses the proxy, or the pod has no proxy.
 * `proxy-port`: the port belongs to the proxy itself. `opaque-port`: the port is opaque, although the Server specifies
 * HTTP or gRPC. `probe`: the automatic route of a probe matches the request. `no-route`: no route of the Server matches
 * the request. `authorization`: an authorization admits the client. `server` and `route`: no authorization admits the
 * client, so the access policy of the Server applies; for `route`, the request uses a route of the Server. `default`:
 * the default inbound policy applies.
 */
type MeshReason =
  | "no-proxy"
  | "proxy-port"
  | "opaque-port"
  | "probe"
  | "no-route"
  | "authorization"
  | "server"
  | "route"
  | "default";

/** Decision of the proxy: whether Linkerd's policies admit a connection. */
export interface MeshVerdict {
  readonly admits: boolean;
  /** Whether the client is admitted only because of the mode `audit`. */
  readonly counted: boolean;
  readonly reason: MeshReason;
  /** Text for people: the object that determines the decision, such as `Server api-http`, or `probe path /health`. */
  readonly by: string;
  /**
   * The Server that selects the port. Null if no Server selects the port. In this case, the pod's default inbound
   * policy applies.
   */
  readonly server: KubernetesObject | null;
  /** Authorizations of the Server, and of the route that the request uses. */
  readonly authorizations: readonly Authorization[];
}

/** A connection, with the facts that the proxy of the pod uses for its decision. */
interface Inbound extends Attempt {
  readonly client: ProxyClient;
  /** Whether the connection bypasses the proxy, or the pod has no proxy. */
  readonly bypassed: boolean;
}

export function meshVerdict(inbound: Inbound, objects: readonly KubernetesObject[], installation: Installation): MeshVerdict {
  const { to, port, client, bypassed } = inbound;
  const server = serverOf(to, port, objects);
  const ofServer = server === null ? [] : authorizationsOf(server, objects);
  const verdict = (admits: boolean, reason: MeshReason, by: string, authorizations = ofServer, counted = false): MeshVerdict => ({
    admits,
    counted,
    reason,
    by,
    server,
    authorizations,
  });
  if (bypassed) return verdict(true, "no-proxy", "no proxy");
  // The proxy's inbound port accepts only connections that other proxies open. The proxy's control port accepts only
  // connections from tap.
  if (port === proxyPorts.inbound) return verdict(false, "proxy-port", "proxy");
  if (port === proxyPorts.control) return verdict(isTap(client), "proxy-port", "proxy");
  const protocol =
    server === null
      ? isOpaqueForServer(to, port)
        ? "opaque"
        : "unknown"
      : String(at(server, "spec", "proxyProtocol") ?? "unknown");
  if (server !== null && /^(HTTP|gRPC)/.test(protocol) && client.identity !== null && isOpaqueForClients(to, port))
    return verdict(false, "opaque-port", `${nameOf(server)}: protocol ${protocol}, but the port is opaque`);
  const routed = route(inbound, server, protocol, objects);
  if (routed === "probe") return verdict(true, "probe", `probe path ${inbound.path}`);
  if (routed === "no-route") return verdict(false, "no-route", `${nameOf(server)}: no route matches the request`);
  const all = [...ofServer, ...(routed === null ? [] : authorizationsOfRoute(routed, objects))];
  const admitting = all.find((authorization) => admitsClient(authorization, client));
  if (admitting !== undefined) return verdict(true, "authorization", `${admitting.kind} ${admitting.name}`, all);
  const policy =
    server === null
      ? defaultPolicyOf(to, installation.defaultInboundPolicy ?? "all-unauthenticated")
      : String(at(server, "spec", "accessPolicy") ?? "deny");
  const treatment = treatmentBy(policy, client, server === null && requiresIdentity(to, port));
  const reason = server === null ? "default" : routed === null ? "server" : "route";
  const by = server === null ? `default inbound policy ${policy}` : nameOf(routed ?? server);
  return verdict(treatment !== "refused", reason, by, all, treatment === "counted");
}

/**
 * Returns the route that a request uses, or `probe` for the automatic route of a probe path. Returns `no-route` if the
 * Server has routes but none of them matches the request. Otherwise, returns null (linkerd2, policy-controller, inbound
 * index, http_routes). Also returns null for opaque and TLS connections, because routes do not apply to these
 * connections.
 */
function route(
  { to, port, path }: Inbound,
  server: KubernetesObject | null,
  protocol: string,
  objects: readonly KubernetesObject[],
): KubernetesObject | "probe" | "no-route" | null {
  if (protocol === "opaque" || protocol === "TLS") return null;
  const routes =
    server === null ? [] : attachedRoutes(server, objects).filter(({ kind }) => (kind === "GRPCRoute") === (protocol === "gRPC"));
  if (routes.length > 0) return routeFor(routes, path?.replace(/\?.*$/, "") ?? null) ?? "no-route";
  return path !== undefined && protocol !== "gRPC" && probePaths(to, port).includes(path.replace(/\?.*$/, "")) ? "probe" : null;
}

function isTap({ identity }: ProxyClient): boolean {
  return identity?.namespace === "linkerd-viz" && identity.name === "tap";
}

function nameOf(object: KubernetesObject | null): string {
  return object === null ? "default inbound policy" : `${object.kind} ${object.metadata.name}`;
}
