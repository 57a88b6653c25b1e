import { dgraphPorts } from "../../catalog/dgraph.ts";
import { type LinkerdRelease, linkerdRelease } from "../../catalog/linkerd.ts";
import { alphaService, dgraphLabels } from "../../components/dgraph/names.ts";
import type { Model } from "../../components/model.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { selects } from "../../kubernetes/selectors.ts";
import { isLive } from "../../mesh/pod.ts";
import { hostOf } from "../../mesh/service.ts";
import type { IdentityObjects } from "../certificates.ts";
import { type ClusterReader, orNull } from "../connection.ts";
import { meshedPods, readIdentityObjects } from "../identity-objects.ts";

/** What the cluster held when the tests began; null where nobody may read it. */
export interface ClusterState {
  readonly model: Model;
  readonly linkerdRelease: LinkerdRelease;
  /** NetworkPolicies, Servers, AuthorizationPolicies and MeshTLSAuthentications. */
  readonly policies: readonly KubernetesObject[];
  readonly pods: readonly KubernetesObject[];
  readonly namespaces: readonly KubernetesObject[];
  readonly workloads: readonly KubernetesObject[];
  /** Certificates and Secrets of the mesh. */
  readonly identity: IdentityObjects;
  /** Running meshed pods of all namespaces; null if you may not list them. */
  readonly meshed: readonly KubernetesObject[] | null;
  readonly webhooks: readonly KubernetesObject[] | null;
  readonly apiServices: readonly KubernetesObject[];
  readonly profiles: readonly KubernetesObject[];
}

/** Addresses of Alpha, as clients dial it. */
export function alphaAddresses({ environment }: Model): { readonly http: string; readonly grpc: string } {
  const host = hostOf(alphaService(environment));
  return { http: `${host}:${dgraphPorts.alpha.http}`, grpc: `${host}:${dgraphPorts.alpha.grpc}` };
}

export function alphasIn({ model, pods }: Pick<ClusterState, "model" | "pods">): KubernetesObject[] {
  return dgraphPods(model, pods, "alpha");
}

export function dgraphPods(
  { environment }: Model,
  pods: readonly KubernetesObject[],
  role?: "alpha" | "zero",
): KubernetesObject[] {
  const selector = { matchLabels: dgraphLabels(environment, role) };
  return pods.filter(
    ({ metadata }) => metadata.namespace === environment.spec.dgraph.namespace && selects(selector, metadata.labels ?? {}),
  );
}

/** Reads all of it. @throws UserError where the cluster does not answer, or even pods may not be read */
export async function readClusterState(cluster: ClusterReader, model: Model): Promise<ClusterState> {
  const { environment } = model;
  const track = linkerdRelease(environment.spec.linkerd.version);
  const dgraph = environment.spec.dgraph.namespace;
  const names = [...new Set(model.components.map(({ namespace }) => namespace))];
  const policy = (kind: string, version: string): Promise<KubernetesObject[]> =>
    cluster.list(`policy.linkerd.io/${version}`, kind, dgraph);
  const { server, authorizationPolicy } = track.traits.policyApi;
  const everywhere = async (apiVersion: string, kind: string): Promise<KubernetesObject[]> =>
    (await Promise.all(names.map((namespace) => cluster.list(apiVersion, kind, namespace)))).flat();
  // One first: a cluster that does not answer is told once.
  const pods = (await everywhere("v1", "Pod")).filter(isLive);
  const webhooks = Promise.all([
    cluster.list("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    cluster.list("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
  ]).then((all) => all.flat());
  const [
    namespaces,
    network,
    servers,
    authorizations,
    authentications,
    profiles,
    identity,
    meshed,
    apiServices,
    hooks,
    ...loads
  ] = await Promise.all([
    Promise.all(names.map((name) => cluster.get("v1", "Namespace", name))).then((all) => all.filter((each) => each !== null)),
    cluster.list("networking.k8s.io/v1", "NetworkPolicy", dgraph),
    policy("Server", server),
    policy("AuthorizationPolicy", authorizationPolicy),
    policy("MeshTLSAuthentication", authorizationPolicy),
    cluster.list("linkerd.io/v1alpha2", "ServiceProfile", dgraph),
    readIdentityObjects(cluster, environment, pods),
    meshedPods(cluster),
    orEmpty(cluster.list("apiregistration.k8s.io/v1", "APIService")),
    orNull(webhooks),
    everywhere("apps/v1", "Deployment"),
    everywhere("apps/v1", "StatefulSet"),
  ]);
  return {
    model,
    linkerdRelease: track,
    policies: [...network, ...servers, ...authorizations, ...authentications],
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

async function orEmpty<T>(read: Promise<T[]>): Promise<T[]> {
  return (await orNull(read)) ?? [];
}
