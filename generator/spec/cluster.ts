import type { Environment } from "./environment.generated.ts";

/** Facts about the cluster of an environment. A fact that the spec does not contain is null. */
export interface ClusterFacts {
  readonly provider: "aks" | "other";
  /** kubectl context of the cluster. */
  readonly context: string | null;
  /** Version of Kubernetes, such as `1.34`. */
  readonly kubernetesVersion: string | null;
  readonly networkPolicy: NonNullable<Environment["spec"]["cluster"]["networkPolicy"]> | null;
  /** Networks of clients that have no identity in the mesh. */
  readonly networks: Environment["spec"]["cluster"]["networks"];
}

/**
 * Returns the facts about the cluster. The facts in `spec.cluster` take precedence. Facts that are missing in
 * `spec.cluster` come from `spec.azure.cluster`. For example, the kubectl context is the name of the AKS cluster,
 * because `az aks get-credentials` writes a context with this name.
 */
export function clusterOf({ spec: { azure, cluster } }: Environment): ClusterFacts {
  const aks = azure?.cluster;
  return {
    provider: cluster.provider ?? (azure === undefined ? "other" : "aks"),
    context: cluster.context ?? aks?.name ?? null,
    kubernetesVersion: cluster.kubernetesVersion ?? aks?.kubernetesVersion ?? null,
    networkPolicy: cluster.networkPolicy ?? aks?.networkPolicy ?? null,
    networks: cluster.networks,
  };
}
