import { committedIdentity, meshedLabel, trustBundle } from "../catalog/well-known.ts";
import { type IdentityObjects, mountedSecrets } from "../identity/cluster-certificates.ts";
import type { SecretContract } from "../identity/contracts.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { type ClusterReader, orNull } from "./connection.ts";

/**
 * Reads the identity objects of an environment from a cluster: the trust bundle, the ConfigMap `meshops-identity`, the
 * Secrets that the mesh needs, and the Secrets that pods mount. If the user is not allowed to read the ConfigMap or the
 * Secrets, the corresponding field of the result is null.
 *
 * @param contracts the Secrets that the mesh needs
 * @param pods pods whose mounted Secrets the function reads
 */
export async function readIdentityObjects(
  cluster: ClusterReader,
  contracts: readonly SecretContract[],
  pods: readonly KubernetesObject[],
): Promise<IdentityObjects> {
  const own = contracts.map(({ namespace, name }) => `${namespace}/${name}`);
  const names = [...new Set([...own, ...mountedSecrets(pods).keys()])];
  const read = async (id: string): Promise<readonly [string, KubernetesObject | null]> => {
    const [namespace = "", name = ""] = id.split("/");
    return [id, await cluster.get("v1", "Secret", name, namespace)];
  };
  const [trustRoots, committed, secrets] = await Promise.all([
    cluster.get("v1", "ConfigMap", trustBundle.name, trustBundle.namespace),
    orNull(cluster.get("v1", "ConfigMap", committedIdentity.name, committedIdentity.namespace)),
    orNull(Promise.all(names.map(read)).then((all) => new Map(all))),
  ]);
  return { trustRoots, committed, secrets };
}

/**
 * Lists the meshed pods of all namespaces. A pod is meshed if it has the label that the proxy injector sets. Returns
 * null if the user is not allowed to list the pods of all namespaces.
 */
export function listMeshedPods(cluster: ClusterReader): Promise<KubernetesObject[] | null> {
  return orNull(cluster.list("v1", "Pod", undefined, `${meshedLabel}=linkerd`));
}
