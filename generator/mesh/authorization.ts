import type { LinkerdRelease } from "../catalog/linkerd.ts";
import { allNetworks, policyGroup as group } from "../catalog/well-known.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import { type ClientSource, distinctAccounts, type Protocol } from "./pod-set.ts";

/** A port that a Server protects, and the clients that are allowed to connect to the port. */
interface ProtectedPort {
  readonly metadata: KubernetesObject["metadata"];
  readonly podSelector: JsonMap;
  readonly port: number;
  readonly protocol: Protocol;
  /** Whether Linkerd admits and counts clients that are not in `clients`, instead of refusing these clients. */
  readonly audit: boolean;
  readonly clients: readonly ClientSource[];
}

/**
 * Returns the policies that admit only the given clients to a port: a Server, and AuthorizationPolicies. An
 * AuthorizationPolicy with a MeshTLSAuthentication admits the clients with an identity. A second AuthorizationPolicy
 * with a NetworkAuthentication admits the clients without an identity. One AuthorizationPolicy with both
 * authentications would admit only clients that meet both, because a client must meet all authentications of an
 * AuthorizationPolicy. Linkerd still admits `GET` requests on the paths of HTTP probes from all clients (linkerd2,
 * policy-controller, default probe routes).
 */
export function protectPort(port: ProtectedPort, release: LinkerdRelease): KubernetesObject[] {
  const { metadata, clients } = port;
  const identities = identitiesOf(clients);
  const networks = networksOf(clients);
  const target = { kind: "Server", name: metadata.name } as const;
  const atNetwork = { ...metadata, name: `${metadata.name}-network` };
  return [
    server(port, release),
    ...(identities === null ? [] : authorize(target, metadata, "MeshTLSAuthentication", identities, release)),
    ...(networks === null ? [] : authorize(target, atNetwork, "NetworkAuthentication", networks, release)),
  ];
}

function server({ metadata, podSelector, port, protocol, audit }: ProtectedPort, { traits }: LinkerdRelease): KubernetesObject {
  return {
    apiVersion: `${group}/${traits.policyApi.server}`,
    kind: "Server",
    metadata,
    spec: { podSelector, port, proxyProtocol: protocol, ...(audit ? { accessPolicy: "audit" } : {}) },
  };
}

/** Returns an authentication, and an AuthorizationPolicy that requires this authentication for a Server or a route. */
export function authorize(
  target: { readonly kind: "Server" | "HTTPRoute"; readonly name: string },
  metadata: KubernetesObject["metadata"],
  kind: "MeshTLSAuthentication" | "NetworkAuthentication",
  spec: JsonMap,
  { traits }: LinkerdRelease,
): KubernetesObject[] {
  const apiVersion = `${group}/${traits.policyApi.authorizationPolicy}`;
  return [
    { apiVersion, kind, metadata, spec },
    {
      apiVersion,
      kind: "AuthorizationPolicy",
      metadata,
      spec: {
        targetRef: { group, ...target },
        requiredAuthenticationRefs: [{ group, kind, name: metadata.name }],
      },
    },
  ];
}

/** Returns `spec` of the MeshTLSAuthentication for clients with an identity; null if no client has an identity. */
function identitiesOf(clients: readonly ClientSource[]): JsonMap | null {
  if (clients.some((client) => "all" in client && client.all === "meshed")) return { identities: ["*"] };
  const accounts = distinctAccounts(
    clients.flatMap((client) => ("serviceAccountRef" in client ? [client.serviceAccountRef] : [])),
  );
  const namespaces = [...new Set(clients.flatMap((client) => ("namespace" in client ? [client.namespace] : [])))];
  const identityRefs = [
    ...accounts.map(({ namespace, name }) => ({ kind: "ServiceAccount", name, namespace })),
    ...namespaces.map((name) => ({ kind: "Namespace", name })),
  ];
  return identityRefs.length === 0 ? null : { identityRefs };
}

/** Returns `spec` of the NetworkAuthentication for clients without an identity; null if no such client exists. */
function networksOf(clients: readonly ClientSource[]): JsonMap | null {
  const cidrs = clients.some((client) => "all" in client && client.all === "any")
    ? allNetworks
    : [...new Set(clients.flatMap((client) => ("cidrs" in client ? client.cidrs : [])))];
  return cidrs.length === 0 ? null : { networks: cidrs.map((cidr) => ({ cidr })) };
}
