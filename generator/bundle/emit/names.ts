import type { ComponentModel } from "../../components/model.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment } from "../../spec/environment.generated.ts";

/**
 * Namespace of Flux's controllers, and the names of the GitRepository and the root Kustomization that `flux bootstrap`
 * creates.
 */
export const flux = { namespace: "flux-system", source: "flux-system", root: "flux-system" } as const;

/** Folders of components of one kind are plural, such as `policies/shop`. Names of single components are singular. */
const singular: Readonly<Record<string, string>> = { policies: "policy", workloads: "workload" };

/** Name of a component's HelmRelease and of its file in `flux/`, and of its helmfile release if it has no chart. */
export function fluxName(id: string): string {
  const [kind = "", ...rest] = id.split("/");
  return rest.length === 0 ? kind : [singular[kind] ?? kind, ...rest].join("-");
}

/** Labels of every object that meshops writes. */
export function commonLabels({ group: partOf }: Pick<ComponentModel, "group">): JsonMap {
  return { "app.kubernetes.io/managed-by": "meshops", "app.kubernetes.io/part-of": partOf };
}

/**
 * The kubectl context of an environment; null if it is not known. The context of an AKS cluster has the name of the
 * cluster (`az aks get-credentials`). If helmfile or a printed command used the current context instead, it could change
 * another environment's cluster.
 */
export function contextOf(environment: Environment): string | null {
  return clusterOf(environment).context;
}
