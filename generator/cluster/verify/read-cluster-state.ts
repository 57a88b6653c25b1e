import { linkerdRelease } from "../../catalog/linkerd.ts";
import type { ClusterState } from "../../components/check.ts";
import { type Model, podSetsIn } from "../../components/model.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { installationOf } from "../../mesh/installation.ts";
import { isLive } from "../../mesh/pod.ts";
import { generatedPolicyKinds } from "../../mesh/policy-kinds.ts";
import { type ClusterReader, orNull } from "../connection.ts";
import { listMeshedPods, readIdentityObjects } from "../identity-objects.ts";
import { listIn, namespacesNamed, orEmpty, readPolicies } from "../reads.ts";

/**
 * Reads the objects that the tests evaluate.
 *
 * @throws UserError if the cluster does not respond, or if the user is not allowed to list required objects such as
 *   pods
 */
export async function readClusterState(cluster: ClusterReader, model: Model): Promise<ClusterState> {
  const { environment } = model;
  const release = linkerdRelease(environment.spec.linkerd.version);
  const podSets = podSetsIn(model);
  const protectedNamespaces = [
    ...new Set(podSets.filter(({ ports }) => Object.keys(ports).length > 0).map(({ namespace }) => namespace)),
  ];
  const names = [...new Set(model.components.map(({ namespace }) => namespace))];
  const everywhere = (apiVersion: string, kind: string): Promise<KubernetesObject[]> => listIn(cluster, names, apiVersion, kind);
  // Send one request before the parallel requests. If the cluster does not respond, only this request fails.
  const pods = (await everywhere("v1", "Pod")).filter(isLive);
  const webhooks = Promise.all([
    cluster.list("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    cluster.list("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
  ]).then((all) => all.flat());
  const [namespaces, policies, profiles, identity, meshed, apiServices, hooks, ...loads] = await Promise.all([
    namespacesNamed(cluster, [...new Set([...names, ...Object.keys(environment.spec.namespaces)])]),
    readPolicies(cluster, protectedNamespaces, release, generatedPolicyKinds),
    listIn(cluster, protectedNamespaces, "linkerd.io/v1alpha2", "ServiceProfile"),
    readIdentityObjects(cluster, model.contracts, pods),
    listMeshedPods(cluster),
    orEmpty(cluster.list("apiregistration.k8s.io/v1", "APIService")),
    orNull(webhooks),
    everywhere("apps/v1", "Deployment"),
    everywhere("apps/v1", "StatefulSet"),
  ]);
  return {
    installation: installationOf(environment),
    podSets,
    policies,
    pods,
    namespaces,
    workloads: loads.flat(),
    identity,
    meshed: meshed?.filter(isLive) ?? null,
    webhooks: hooks,
    apiServices,
    profiles,
  };
}
