import { managedLabel } from "../../catalog/well-known.ts";
import type { ComponentModel } from "../../components/model.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Namespace of Flux's controllers, and the names of the GitRepository and the root Kustomization that `flux bootstrap`
 * creates.
 */
export const flux = { namespace: "flux-system", source: "flux-system", root: "flux-system" } as const;

/** Returns the labels of the objects that meshops generates for a component. */
export function commonLabels({ group: partOf }: Pick<ComponentModel, "group">): JsonMap {
  return { ...managedLabel, "app.kubernetes.io/part-of": partOf };
}

/**
 * Returns the kubectl context of an environment; null if the spec does not specify a context. The context of an AKS
 * cluster has the name of the cluster (`az aks get-credentials`). helmfile and printed commands use this context,
 * because the current kubectl context might belong to the cluster of another environment.
 */
export function kubeContextOf(environment: Environment): string | null {
  return clusterOf(environment).context;
}
