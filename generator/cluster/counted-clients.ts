import { proxyPorts } from "../catalog/linkerd.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { countedIn, type RefusedLater, refusedLater } from "../mesh/counted.ts";
import { proxyOf } from "../mesh/pod.ts";
import { isAudited, isInSet, type PodSet } from "../mesh/pod-set.ts";
import { plural } from "../system/text.ts";
import type { ClusterActions } from "./actions.ts";
import { isVerifyName } from "./verify/probes.ts";

/** Clients that can connect to a set of pods only because the access mode of these pods is `audit`. */
export interface Counted {
  /** Name of the set of pods, such as `shop/api`. */
  readonly pods: string;
  readonly clients: readonly RefusedLater[];
  /** Number of pods in the set from which meshops did not read metrics. */
  readonly unread: number;
}

/** Metrics of proxies. The key is `namespace/name` of the pod. The value is null if the metrics cannot be read. */
export type ProxyMetrics = ReadonlyMap<string, string | null>;

/** Maximum number of proxies whose metrics meshops reads, per set of pods. */
const podsPerSet = 20;

/** Reads the metrics of the proxies of each set of pods that has a port in the mode `audit`. */
export async function readProxyMetrics(
  cluster: Pick<ClusterActions, "fetchFromPod">,
  sets: readonly PodSet[],
  pods: readonly KubernetesObject[],
): Promise<ProxyMetrics> {
  const read = sets.filter(isAudited).flatMap((set) => meshedPodsOf(set, pods).slice(0, podsPerSet));
  const metrics = await Promise.all(
    read.map(async ({ metadata: { namespace = "", name } }) => {
      const text = await cluster.fetchFromPod(namespace, name, proxyPorts.admin, "metrics");
      return [`${namespace}/${name}`, text] as const;
    }),
  );
  return new Map(metrics);
}

/**
 * For each set of pods that has a port in the mode `audit`, returns the clients that the mode `enforce` would refuse.
 * Omits the service accounts that `meshops verify` creates for its probes. Pure.
 */
export function countedClients(
  sets: readonly PodSet[],
  pods: readonly KubernetesObject[],
  proxyMetrics: ProxyMetrics,
): Counted[] {
  return sets
    .filter(isAudited)
    .map((set) => {
      const own = meshedPodsOf(set, pods);
      const texts = own.map(({ metadata }) => proxyMetrics.get(`${metadata.namespace}/${metadata.name}`));
      const read = texts.filter((text) => typeof text === "string");
      const counted = read.flatMap(countedIn).filter(({ identity }) => identity === null || !isVerifyName(identity.name));
      // In a large set, `unread` also counts the pods from which meshops did not request metrics (see `podsPerSet`).
      return { pods: set.title, clients: refusedLater(set, counted), unread: own.length - read.length };
    })
    .filter(({ clients, unread }) => clients.length > 0 || unread > 0);
}

function meshedPodsOf(set: PodSet, pods: readonly KubernetesObject[]): KubernetesObject[] {
  return pods.filter((pod) => isInSet(pod, set) && proxyOf(pod) !== undefined);
}

/** Describes one client, such as `http 8080: reports/cron, 24 times`. */
export function describeCounted({ key, port, identity, count }: RefusedLater): string {
  const who =
    identity === null
      ? "a client without an identity (the proxy log of the called pod shows the client's address)"
      : `${identity.namespace}/${identity.name}`;
  return `${key} ${port}: ${who}, ${plural(count, "time")}`;
}

/** Returns a note with the reasons why the metrics of some pods may be missing. */
export function describeUnread({ pods, unread }: Counted): string {
  return `meshops did not read the metrics of ${plural(unread, "pod")} of ${pods}. Possible reasons: you do not have the permission to get pods/proxy; the default inbound policy of the pods refuses the API server; ${pods} has more than ${podsPerSet} pods, and meshops reads the metrics of only ${podsPerSet}`;
}
