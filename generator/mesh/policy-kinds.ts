import type { LinkerdRelease } from "../catalog/linkerd.ts";
import { gatewayGroup, policyGroup } from "../catalog/well-known.ts";

/** A kind of policies that `evaluate` reads. */
export interface PolicyKind {
  readonly group: string;
  readonly kind: string;
  /** Version of the API group that the CRDs of a Linkerd release serve. */
  version(release: LinkerdRelease): string;
}

/**
 * The kinds of policies that `evaluate` reads. The versions are those of the rendered CRD charts. The Gateway API's kinds
 * exist only in clusters that have installed its CRDs.
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

/** The kinds of policies that meshops generates for pods. */
export const generatedPolicyKinds: readonly string[] = [
  "NetworkPolicy",
  "Server",
  "AuthorizationPolicy",
  "MeshTLSAuthentication",
];
