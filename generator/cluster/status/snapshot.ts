import { flux } from "../../bundle/emit/names.ts";
import type { Placement } from "../../bundle/emit/placement.ts";
import { linkerdRelease } from "../../catalog/linkerd.ts";
import { isOci } from "../../catalog/repositories.ts";
import { proxyContainer } from "../../catalog/well-known.ts";
import { type Model, podSetsIn, releaseOf } from "../../components/model.ts";
import type { IdentityObjects } from "../../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import type { Installation } from "../../mesh/attempt.ts";
import { installationOf } from "../../mesh/installation.ts";
import { isLive, waitsForProxy } from "../../mesh/pod.ts";
import { hasExternalIdentity } from "../../spec/ownership.ts";
import type { ClusterActions } from "../actions.ts";
import { type ClusterReader, orNull } from "../connection.ts";
import { type ProxyMetrics, readProxyMetrics } from "../counted-clients.ts";
import { listMeshedPods, readIdentityObjects } from "../identity-objects.ts";
import { listIn, namespacesNamed, orEmpty, readPolicies } from "../reads.ts";

/** The objects of an environment in the cluster at one point in time. */
export interface Snapshot {
  readonly sources: readonly KubernetesObject[];
  /** Version of Flux, such as `v2.9.6`; null if Flux's controllers do not have the label with the version. */
  readonly fluxVersion: string | null;
  readonly kustomizations: readonly KubernetesObject[];
  readonly releases: readonly KubernetesObject[];
  /** Deployments, StatefulSets and DaemonSets of the environment's namespaces. */
  readonly workloads: readonly KubernetesObject[];
  readonly pods: readonly KubernetesObject[];
  readonly claims: readonly KubernetesObject[];
  /** Events of the environment's namespaces; empty if the user is not allowed to list events. */
  readonly events: readonly KubernetesObject[];
  readonly namespaces: readonly KubernetesObject[];
  /** Certificates and Secrets of the mesh. */
  readonly identity: IdentityObjects;
  /** Running meshed pods of all namespaces; null if the user is not allowed to list pods in all namespaces. */
  readonly meshed: readonly KubernetesObject[] | null;
  /**
   * NetworkPolicies and Linkerd's policies in the environment's namespaces. The list contains only kinds that the user
   * is allowed to list.
   */
  readonly policies: readonly KubernetesObject[];
  /** Facts about the Linkerd installation, according to the spec. */
  readonly installation: Installation;
  /** Whether another program writes the certificates and their Secrets. */
  readonly externalCertificates: boolean;
  /** ConfigMap with the chart values of the control plane; null if the ConfigMap does not exist or cannot be read. */
  readonly linkerdConfig: KubernetesObject | null;
  /** Last log lines of the proxies that are not ready. The key is `namespace/name` of the pod. */
  readonly proxyLogs: ReadonlyMap<string, string>;
  /** Metrics of the proxies in pods with the access mode `audit`. */
  readonly proxyMetrics: ProxyMetrics;
  readonly takenAt: Date;
}

/**
 * Returns the source with the given kind, name and namespace; undefined if the snapshot does not contain this source.
 */
export function sourceIn(
  { sources }: Snapshot,
  { kind, name, namespace }: { readonly kind: string; readonly name: string; readonly namespace: string },
): KubernetesObject | undefined {
  return sources.find(({ kind: own, metadata }) => own === kind && metadata.name === name && metadata.namespace === namespace);
}

/** Returns the Kustomization with the given name and namespace; undefined if the snapshot does not contain it. */
export function kustomizationIn(
  { kustomizations }: Snapshot,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): KubernetesObject | undefined {
  return kustomizations.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
}

function hasOciChart({ components }: Model): boolean {
  return components.some((component) => {
    const release = releaseOf(component);
    return release !== null && isOci(release.repository);
  });
}

/** The methods of a cluster connection that `takeSnapshot` uses. */
export type SnapshotSource = ClusterReader & Pick<ClusterActions, "logs" | "fetchFromPod">;

/**
 * Reads a snapshot with parallel requests.
 *
 * @param placement location of the Flux objects of the environment
 * @param fluxNamespace namespace of Flux's controllers
 */
export async function takeSnapshot(
  cluster: SnapshotSource,
  model: Model,
  placement: Placement,
  fluxNamespace: string = flux.namespace,
): Promise<Snapshot> {
  const namespaces = [...new Set(model.components.map(({ namespace }) => namespace))];
  const everywhere = (apiVersion: string, kind: string): Promise<KubernetesObject[]> =>
    listIn(cluster, namespaces, apiVersion, kind);
  const { source, root } = placement;
  const inFlux = (apiVersion: string, kind: string): Promise<KubernetesObject[]> =>
    listIn(cluster, [...new Set([placement.namespace, root.namespace])], apiVersion, kind);
  // Send one request before the parallel requests. If the cluster does not respond, only this request fails, so meshops
  // reports the error sooner.
  const kustomizations = await inFlux("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
  const [
    controllers,
    git,
    helm,
    artifacts,
    releases,
    deployments,
    statefulSets,
    daemonSets,
    pods,
    claims,
    events,
    found,
    meshed,
    policies,
  ] = await Promise.all([
    orEmpty(cluster.list("apps/v1", "Deployment", fluxNamespace)),
    cluster.list("source.toolkit.fluxcd.io/v1", source.kind, source.namespace),
    everywhere("source.toolkit.fluxcd.io/v1", "HelmRepository"),
    hasOciChart(model) ? everywhere("source.toolkit.fluxcd.io/v1", "OCIRepository") : [],
    everywhere("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
    everywhere("apps/v1", "Deployment"),
    everywhere("apps/v1", "StatefulSet"),
    everywhere("apps/v1", "DaemonSet"),
    everywhere("v1", "Pod"),
    // A missing permission for the objects in the following requests is not an error, because meshops uses these
    // objects only to explain problems. Users with access to only a few namespaces often cannot read cluster-scoped
    // objects.
    orEmpty(everywhere("v1", "PersistentVolumeClaim")),
    orEmpty(everywhere("v1", "Event")),
    orEmpty(namespacesNamed(cluster, [...namespaces, ...Object.keys(model.environment.spec.namespaces)])),
    listMeshedPods(cluster),
    readPolicies(cluster, namespaces, linkerdRelease(model.environment.spec.linkerd.version), []),
  ]);
  const sources = [...git.filter(({ metadata }) => metadata.name === source.name), ...helm, ...artifacts];
  const workloads = [...deployments, ...statefulSets, ...daemonSets];
  return {
    sources,
    fluxVersion: fluxVersionOf(controllers),
    kustomizations,
    releases,
    workloads,
    pods,
    claims,
    events,
    namespaces: found,
    identity: await readIdentityObjects(cluster, model.contracts, pods),
    externalCertificates: hasExternalIdentity(model.environment),
    linkerdConfig: await orNull(cluster.get("v1", "ConfigMap", "linkerd-config", "linkerd")),
    meshed: meshed?.filter(isLive) ?? null,
    policies,
    installation: installationOf(model.environment),
    proxyLogs: await logsOfProxies(cluster, pods),
    proxyMetrics: await readProxyMetrics(cluster, podSetsIn(model), pods),
    takenAt: new Date(),
  };
}

/**
 * Returns the version of Flux from a label that Flux's install manifests set on the controllers; null if the label is
 * missing.
 */
function fluxVersionOf(controllers: readonly KubernetesObject[]): string | null {
  const found = controllers.find(({ metadata }) => metadata.name === "kustomize-controller");
  return found?.metadata.labels?.["app.kubernetes.io/version"] ?? null;
}

/**
 * Reads the logs of at most three proxies that are not ready. Three logs are enough, because proxies that cannot reach
 * the control plane all log the same error.
 */
async function logsOfProxies(cluster: SnapshotSource, pods: readonly KubernetesObject[]): Promise<Map<string, string>> {
  const waiting = pods.filter(waitsForProxy).slice(0, 3);
  const logs = await Promise.all(
    waiting.map(async ({ metadata: { namespace = "", name } }) => {
      // meshops uses the log only to explain problems, so the snapshot must not fail if the log cannot be read.
      const text = await cluster.logs(namespace, name, proxyContainer, 100).catch(() => "");
      return [`${namespace}/${name}`, text] as const;
    }),
  );
  return new Map(logs);
}
