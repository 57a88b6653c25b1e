import type { V1ClusterRoleBinding, V1RoleBinding, V1ServiceAccount } from "@kubernetes/client-node";
import { keptByFlux } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { compareText } from "../../system/text.ts";
import { type ComponentModel, releaseOf } from "../model.ts";

const rbac = "rbac.authorization.k8s.io";

/**
 * Returns the service accounts that helm-controller impersonates (`gitops.serviceAccountName`), and the bindings that
 * grant rights to these accounts. Each namespace with HelmReleases has one account, because a HelmRelease uses an
 * account in its own namespace. The accounts are part of the component `namespaces`, so that they still exist when
 * helm-controller uninstalls the releases. If the account of a deleted HelmRelease does not exist, helm-controller does
 * not uninstall the Helm release (helm-controller, internal/controller/helmrelease_controller.go, reconcileDelete). For
 * the same reason, an annotation prevents Flux from deleting the accounts and the bindings (`keptByFlux`). `meshops
 * teardown` deletes the accounts and the bindings.
 *
 * @returns an empty list if the spec does not specify a service account
 */
export function serviceAccounts({ spec }: Environment, components: readonly ComponentModel[]): KubernetesObject[] {
  const name = spec.gitops.serviceAccountName;
  if (name === undefined) return [];
  const charts = components.flatMap((component) => {
    const release = releaseOf(component);
    return release === null ? [] : [{ namespace: component.namespace, clusterScoped: release.clusterScoped }];
  });
  // The owner of the cluster, not meshops, manages the account in the namespace of the Kustomizations.
  const others = charts.filter(({ namespace }) => namespace !== spec.gitops.namespace);
  const namespaces = [...new Set(others.map(({ namespace }) => namespace))].sort(compareText);
  return namespaces.flatMap((namespace) => [
    {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name, namespace, annotations: keptByFlux },
    } satisfies V1ServiceAccount,
    binding(
      name,
      namespace,
      charts.some((each) => each.namespace === namespace && each.clusterScoped),
    ),
  ]);
}

/**
 * Returns the binding of the account to the ClusterRole cluster-admin. By default, the binding applies only to the
 * namespace of the account. If a chart in this namespace contains cluster-scoped objects, such as webhook
 * configurations and ClusterRoles, the binding applies to the whole cluster. An account can create a ClusterRole only
 * if it has all rights in the ClusterRole (Kubernetes docs, "Privilege escalation prevention").
 */
function binding(account: string, namespace: string, clusterScoped: boolean): KubernetesObject {
  const name = `meshops:${account}:${namespace}`;
  const rest = {
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ kind: "ServiceAccount", name: account, namespace }],
  };
  return clusterScoped
    ? ({
        apiVersion: `${rbac}/v1`,
        kind: "ClusterRoleBinding",
        metadata: { name, annotations: keptByFlux },
        ...rest,
      } satisfies V1ClusterRoleBinding)
    : ({
        apiVersion: `${rbac}/v1`,
        kind: "RoleBinding",
        metadata: { name, namespace, annotations: keptByFlux },
        ...rest,
      } satisfies V1RoleBinding);
}
