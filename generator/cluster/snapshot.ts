import { flux } from "../emit/flux.ts";
import type { Model } from "../model.ts";
import { type ClusterReader, isForbidden } from "./connection.ts";
import type { ClusterObject } from "./objects.ts";

/** What a cluster held at one time, as far as it matters for an environment. */
export interface Snapshot {
  readonly sources: readonly ClusterObject[];
  readonly kustomizations: readonly ClusterObject[];
  readonly releases: readonly ClusterObject[];
  /** Deployments, StatefulSets and DaemonSets of the environment's namespaces. */
  readonly workloads: readonly ClusterObject[];
  readonly pods: readonly ClusterObject[];
  readonly claims: readonly ClusterObject[];
  /** Events of the environment's namespaces; empty where nobody may read them. */
  readonly events: readonly ClusterObject[];
  readonly namespaces: readonly ClusterObject[];
  /** Linkerd's ConfigMap of trust anchors; null where there is none. */
  readonly trustRoots: ClusterObject | null;
}

/** Reads all of it, at once. @param fluxNamespace where Flux lives */
export async function takeSnapshot(cluster: ClusterReader, model: Model, fluxNamespace: string): Promise<Snapshot> {
  const namespaces = [...new Set(model.components.map(({ namespace }) => namespace))];
  const everywhere = async (apiVersion: string, kind: string): Promise<ClusterObject[]> =>
    (await Promise.all(namespaces.map((namespace) => cluster.list(apiVersion, kind, namespace)))).flat();
  const inFlux = (apiVersion: string, kind: string): Promise<ClusterObject[]> => cluster.list(apiVersion, kind, fluxNamespace);
  // What explains, but is not needed, may be forbidden: readers of a namespace often see no cluster-wide objects.
  const allowed = async (read: Promise<ClusterObject[]>): Promise<ClusterObject[]> =>
    read.catch((error: unknown) => (isForbidden(error) ? [] : Promise.reject(error)));
  // One first: a cluster that does not answer is told once, and in half the time.
  const kustomizations = await inFlux("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
  const [git, helm, releases, deployments, statefulSets, daemonSets, pods, claims, events, found, trustRoots] = await Promise.all(
    [
      inFlux("source.toolkit.fluxcd.io/v1", "GitRepository"),
      inFlux("source.toolkit.fluxcd.io/v1", "HelmRepository"),
      everywhere("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
      everywhere("apps/v1", "Deployment"),
      everywhere("apps/v1", "StatefulSet"),
      everywhere("apps/v1", "DaemonSet"),
      everywhere("v1", "Pod"),
      allowed(everywhere("v1", "PersistentVolumeClaim")),
      allowed(everywhere("v1", "Event")),
      allowed(
        Promise.all(namespaces.map((name) => cluster.get("v1", "Namespace", name))).then((all) =>
          all.filter((each) => each !== null),
        ),
      ),
      cluster.get("v1", "ConfigMap", "linkerd-identity-trust-roots", "linkerd"),
    ],
  );
  const sources = [...git.filter(({ metadata }) => metadata.name === flux.source), ...helm];
  const workloads = [...deployments, ...statefulSets, ...daemonSets];
  return { sources, kustomizations, releases, workloads, pods, claims, events, namespaces: found, trustRoots };
}
