import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { policyKinds } from "../mesh/policy-kinds.ts";
import { type ClusterReader, orNull } from "./connection.ts";

/** Lists the objects of a kind in several namespaces. @param labels a label selector, as for `ClusterReader.list` */
export async function listIn(
  cluster: ClusterReader,
  namespaces: readonly string[],
  apiVersion: string,
  kind: string,
  labels?: string,
): Promise<KubernetesObject[]> {
  return (await Promise.all(namespaces.map((namespace) => cluster.list(apiVersion, kind, namespace, labels)))).flat();
}

/** Returns the existing namespaces whose names are in `names`. */
export async function namespacesNamed(cluster: ClusterReader, names: readonly string[]): Promise<KubernetesObject[]> {
  const found = await Promise.all(names.map((name) => cluster.get("v1", "Namespace", name)));
  return found.filter((each) => each !== null);
}

/** Returns the result of a read request. Returns an empty list if the user does not have the required permission. */
export async function orEmpty<T>(read: Promise<T[]>): Promise<T[]> {
  return (await orNull(read)) ?? [];
}

/**
 * Lists the NetworkPolicies and Linkerd's policies in several namespaces. If the user is not allowed to list a kind
 * that is not in `required`, the result contains no policies of this kind.
 *
 * @param required kinds that the user must be allowed to list
 * @throws UserError if the user is not allowed to list a required kind
 */
export async function readPolicies(
  cluster: ClusterReader,
  namespaces: readonly string[],
  release: LinkerdRelease,
  required: readonly string[],
): Promise<KubernetesObject[]> {
  const lists = policyKinds.map(({ group, kind, version }) => {
    const list = listIn(cluster, namespaces, `${group}/${version(release)}`, kind);
    return required.includes(kind) ? list : orEmpty(list);
  });
  return (await Promise.all(lists)).flat();
}
