import type { LinkerdRelease } from "./linkerd-release.ts";

/**
 * API versions that the CRDs of the edge releases serve, by group and kind (charts linkerd-crds 2025.4.4, 2025.10.7 and
 * 2026.8.3, `served: true`). All releases from edge-25.4.4 on serve these versions.
 */
const ofEdge: Readonly<Record<string, readonly string[]>> = {
  "policy.linkerd.io/AuthorizationPolicy": ["v1alpha1"],
  "policy.linkerd.io/EgressNetwork": ["v1alpha1"],
  "policy.linkerd.io/HTTPLocalRateLimitPolicy": ["v1alpha1"],
  "policy.linkerd.io/HTTPRoute": ["v1alpha1", "v1beta1", "v1beta2", "v1beta3"],
  "policy.linkerd.io/MeshTLSAuthentication": ["v1alpha1"],
  "policy.linkerd.io/NetworkAuthentication": ["v1alpha1"],
  "policy.linkerd.io/Server": ["v1alpha1", "v1beta1", "v1beta2", "v1beta3"],
  "policy.linkerd.io/ServerAuthorization": ["v1alpha1", "v1beta1"],
  "linkerd.io/ServiceProfile": ["v1alpha1", "v1alpha2"],
  "workload.linkerd.io/ExternalWorkload": ["v1alpha1", "v1beta1"],
};

/** API versions that the CRDs of stable-2.14.10 serve, by group and kind (chart linkerd-crds 1.8.0). */
const ofStable: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.entries(ofEdge).filter(([kind]) => !/EgressNetwork|HTTPLocalRateLimitPolicy|ExternalWorkload/.test(kind)),
  ),
  "policy.linkerd.io/Server": ["v1alpha1", "v1beta1"],
};

/**
 * Returns the API versions that a release serves for a kind in one of Linkerd's API groups. If the CRDs of the release
 * do not contain the kind, the list is empty.
 *
 * @returns null if the group does not belong to Linkerd
 */
export function servedVersions({ channel }: LinkerdRelease, group: string, kind: string): readonly string[] | null {
  if (!/^(policy\.|workload\.)?linkerd\.io$/.test(group)) return null;
  return (channel === "stable" ? ofStable : ofEdge)[`${group}/${kind}`] ?? [];
}
