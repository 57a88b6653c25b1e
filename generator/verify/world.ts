import { dgraphPorts } from "../catalog/dgraph.ts";
import { type LinkerdTrack, linkerdTrack } from "../catalog/linkerd.ts";
import { type ClusterReader, isForbidden } from "../cluster/connection.ts";
import type { ClusterObject } from "../cluster/objects.ts";
import { isLive } from "../cluster/workload.ts";
import { alphaService, dgraphLabels } from "../mesh/dgraph.ts";
import { hostOf } from "../mesh/service.ts";
import { issuerSecret, webhooksOf } from "../mesh/webhooks.ts";
import type { Model } from "../model.ts";
import type { Policies } from "./policy.ts";

/** What the cluster held when the tests began; null where nobody may read it. */
export interface World {
  readonly model: Model;
  readonly track: LinkerdTrack;
  readonly policies: Policies;
  readonly pods: readonly ClusterObject[];
  readonly namespaces: readonly ClusterObject[];
  readonly workloads: readonly ClusterObject[];
  readonly secrets: ReadonlyMap<string, ClusterObject | null> | null;
  readonly webhooks: readonly ClusterObject[] | null;
  readonly apiServices: readonly ClusterObject[];
  readonly trustRoots: ClusterObject | null;
  readonly profiles: readonly ClusterObject[];
}

/** Addresses of Alpha, as clients dial it. */
export function alphaAddresses({ environment }: Model): { readonly http: string; readonly grpc: string } {
  const host = hostOf(alphaService(environment));
  return { http: `${host}:${dgraphPorts.alpha.http}`, grpc: `${host}:${dgraphPorts.alpha.grpc}` };
}

export function alphasIn({ model, pods }: World): ClusterObject[] {
  return dgraphPods(model, pods, "alpha");
}

export function dgraphPods({ environment }: Model, pods: readonly ClusterObject[], role?: "alpha" | "zero"): ClusterObject[] {
  const labels = Object.entries(dgraphLabels(environment, role));
  return pods.filter(
    ({ metadata }) =>
      metadata.namespace === environment.spec.dgraph.namespace &&
      labels.every(([key, value]) => metadata.labels?.[key] === value),
  );
}

/** Reads all of it. @throws UserError where the cluster does not answer, or even pods may not be read */
export async function readWorld(cluster: ClusterReader, model: Model): Promise<World> {
  const { environment } = model;
  const track = linkerdTrack(environment.spec.linkerd.version);
  const dgraph = environment.spec.dgraph.namespace;
  const names = [...new Set(model.components.map(({ namespace }) => namespace))];
  const policy = (kind: string, version: string): Promise<ClusterObject[]> =>
    cluster.list(`policy.linkerd.io/${version}`, kind, dgraph);
  const { server, authorizationPolicy } = track.traits.policyApi;
  const everywhere = async (apiVersion: string, kind: string): Promise<ClusterObject[]> =>
    (await Promise.all(names.map((namespace) => cluster.list(apiVersion, kind, namespace)))).flat();
  // One first: a cluster that does not answer is told once.
  const pods = (await everywhere("v1", "Pod")).filter(isLive);
  const webhooks = Promise.all([
    cluster.list("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
    cluster.list("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
  ]).then((all) => all.flat());
  const wanted = [...webhooksOf(environment), { namespace: "linkerd", secret: issuerSecret }];
  const secrets = Promise.all(
    wanted.map(async ({ namespace, secret }) => [secret, await cluster.get("v1", "Secret", secret, namespace)] as const),
  ).then((all) => new Map(all));
  const [
    namespaces,
    network,
    servers,
    authorizations,
    authentications,
    profiles,
    trustRoots,
    apiServices,
    hooks,
    kept,
    ...loads
  ] = await Promise.all([
    Promise.all(names.map((name) => cluster.get("v1", "Namespace", name))).then((all) => all.filter((each) => each !== null)),
    cluster.list("networking.k8s.io/v1", "NetworkPolicy", dgraph),
    policy("Server", server),
    policy("AuthorizationPolicy", authorizationPolicy),
    policy("MeshTLSAuthentication", authorizationPolicy),
    cluster.list("linkerd.io/v1alpha2", "ServiceProfile", dgraph),
    cluster.get("v1", "ConfigMap", "linkerd-identity-trust-roots", "linkerd"),
    orEmpty(cluster.list("apiregistration.k8s.io/v1", "APIService")),
    orNull(webhooks),
    orNull(secrets),
    everywhere("apps/v1", "Deployment"),
    everywhere("apps/v1", "StatefulSet"),
  ]);
  return {
    model,
    track,
    policies: { network, servers, authorizations, authentications },
    pods,
    namespaces,
    workloads: loads.flat(),
    secrets: kept,
    webhooks: hooks,
    apiServices,
    trustRoots,
    profiles,
  };
}

async function orNull<T>(read: Promise<T>): Promise<T | null> {
  return read.catch((error: unknown) => (isForbidden(error) ? null : Promise.reject(error)));
}

async function orEmpty<T>(read: Promise<T[]>): Promise<T[]> {
  return (await orNull(read)) ?? [];
}
