import type { LinkerdRelease } from "../catalog/linkerd.ts";
import { gatewayGroup, policyGroup } from "../catalog/well-known.ts";

/** A kind of policy that `evaluate` reads. */
export interface PolicyKind {
  readonly group: string;
  readonly kind: string;
  /** Returns the version of the API group in which the CRDs of the given Linkerd release serve this kind. */
  version(release: LinkerdRelease): string;
}

/**
 * The kinds of policies that `evaluate` reads. The versions are from the rendered CRD charts. A cluster has the kinds
 * of the Gateway API only if the CRDs of the Gateway API are installed.
 */
export const policyKinds: readonly PolicyKind[] = [
  { group: "networking.k8s.io", kind: "NetworkPolicy", version: () => "v1" },
  { group: policyGroup, kind: "Server", version: ({ traits }) => traits.policyApi.server },
  { group: policyGroup, kind: "ServerAuthorization", version: () => "v1beta1" },
  { group: policyGroup, kind: "AuthorizationPolicy", version: ({ traits }) => traits.policyApi.authorizationPolicy },
  { group: policyGroup, kind: "HTTPRoute", version: ({ traits }) => traits.policyApi.httpRoute },
  { group: policyGroup, kind: "MeshTLSAuthentication", version: ({ traits }) => traits.policyApi.authorizationPolicy },
  { group: policyGroup, kind: "NetworkAuthentication", version: ({ traits }) => traits.policyApi.authorizationPolicy },
  { group: gatewayGroup, kind: "HTTPRoute", version: ({ traits }) => (traits.grpcRoute ? "v1" : "v1beta1") },
  { group: gatewayGroup, kind: "GRPCRoute", version: () => "v1" },
];

/** Kinds of generated policies that a user of `meshops verify` must be allowed to list. */
export const generatedPolicyKinds: readonly string[] = [
  "NetworkPolicy",
  "Server",
  "AuthorizationPolicy",
  "MeshTLSAuthentication",
  "NetworkAuthentication",
];
