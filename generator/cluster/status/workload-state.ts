import { anchorGaps } from "../../identity/anchors.ts";
import { issuerIn } from "../../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at, condition, mapAt } from "../../kubernetes/object-fields.ts";
import { rolloutOf } from "../../kubernetes/rollout.ts";
import { selects } from "../../kubernetes/selectors.ts";
import { factsOf, injectionNamespace, isMeshed } from "../../mesh/meshed.ts";
import { isLive, proxyOf } from "../../mesh/pod.ts";
import { restartCommand } from "../../mesh/restart.ts";
import { type Cause, causeOf, type Subject, unknownCause } from "./cause.ts";
import { eviction, isPodReady, missingSecret, newestEvent, podCause, stuckTermination } from "./pod-cause.ts";
import type { Snapshot } from "./snapshot.ts";

/** State of a workload and of its pods. */
export interface WorkloadState {
  readonly ready: boolean;
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Number of pods with a proxy; null if the proxy injector does not inject the workload. */
  readonly meshed: number | null;
  /** First reason why the workload is not ready; null if the workload is ready. */
  readonly cause: Cause | null;
  /**
   * Pods that are not ready, each with its own cause. The list is empty if only one pod is not ready, or if the whole
   * workload has one cause.
   */
  readonly pods: readonly PodState[];
}

/** A pod that is not ready, and the reason why. */
interface PodState {
  readonly name: string;
  readonly cause: Cause;
}

/** Returns the state of a workload. */
export function workloadState(workload: KubernetesObject, snapshot: Snapshot, subject: Subject): WorkloadState {
  const all = podsOf(workload, snapshot);
  const pods = all.filter(isLive);
  const { complete, replicas, readyReplicas } = rolloutOf(workload);
  const injected = isInjected(workload, snapshot);
  const proxied = pods.filter((pod) => proxyOf(pod) !== undefined);
  const state = { replicas, readyReplicas, meshed: injected ? proxied.length : null };
  if (!complete) {
    const found = causesOf(workload, all, snapshot, subject);
    if (!Array.isArray(found)) return { ...state, ready: false, cause: found, pods: [] };
    // If one pod has a problem and another pod is only starting, report the cause of the pod with the problem.
    const [first] = [...found.filter(({ cause }) => cause.code !== "progressing"), ...found];
    return { ...state, ready: false, cause: first?.cause ?? null, pods: found.length > 1 ? found : [] };
  }
  const cause = (injected ? meshCause(pods, snapshot, subject) : null) ?? missingSecret(pods, snapshot, subject);
  return { ...state, ready: cause === null, cause, pods: [] };
}

function podsOf({ spec, metadata }: KubernetesObject, { pods }: Snapshot): KubernetesObject[] {
  const selector = at(spec, "selector");
  return pods.filter((pod) => pod.metadata.namespace === metadata.namespace && selects(selector, pod.metadata.labels ?? {}));
}

/** Whether the injector adds a proxy to the pods of a workload. */
function isInjected(workload: KubernetesObject, { namespaces }: Snapshot): boolean {
  const template = at(workload, "spec", "template");
  const namespace = injectionNamespace(workload.metadata.namespace ?? "", namespaces);
  return isMeshed(factsOf(mapAt(template, "metadata", "annotations"), at(template, "spec"), namespace)) === "yes";
}

/**
 * Returns the cause if a pod has no proxy although the proxy injector should have injected the pod. Also returns a
 * cause if proxies do not trust the certificates that Linkerd's current issuer signs. Otherwise, returns null.
 */
function meshCause(pods: readonly KubernetesObject[], { identity }: Snapshot, { kind, name, namespace }: Subject): Cause | null {
  const restart = restartCommand(`${kind.toLowerCase()} ${name}`, namespace);
  const bare = pods.filter((pod) => proxyOf(pod) === undefined);
  const [first] = bare;
  if (first !== undefined) {
    const reason = `${bare.length === 1 ? `pod ${first.metadata.name} runs` : `${bare.length} pods run`} without a proxy: the API server did not call the proxy injector, or the injector did not respond`;
    return { code: "not-meshed", reason, fix: restart };
  }
  const stale = anchorGaps(pods, identity.trustRoots, issuerIn(identity)).filter(({ breaks }) => breaks);
  if (stale.length === 0) return null;
  return {
    code: "stale-trust-anchors",
    reason: `the ${stale.length === 1 ? `proxy of pod ${stale[0]?.pod} does` : `proxies of ${stale.length} pods do`} not trust the issuer's trust anchor`,
    fix: restart,
  };
}

/** Returns the reason why a workload is not ready: one cause for the whole workload, or one cause per pod. */
function causesOf(
  workload: KubernetesObject,
  all: readonly KubernetesObject[],
  snapshot: Snapshot,
  subject: Subject,
): PodState[] | Cause {
  const { kind, name, namespace } = subject;
  const pods = all.filter(isLive);
  const replicas = Number(at(workload, "spec", "replicas") ?? 1);
  const refusal = pods.length < replicas ? refusalOf(workload, snapshot) : null;
  if (refusal !== null) return causeOf(refusal, subject) ?? unknownCause(refusal, subject);
  const gone =
    stuckTermination(all, snapshot, subject) ?? (pods.every(isPodReady) || isUnderPressure(pods) ? eviction(all) : null);
  if (gone !== null) return gone;
  const found = pods
    .filter((pod) => !isPodReady(pod))
    .map((pod) => {
      const cause = podCause(pod, snapshot, subject);
      return { name: pod.metadata.name, cause: cause === null ? null : (stalledBy(pod, cause, workload, subject) ?? cause) };
    });
  if (found.some(({ cause }) => cause !== null)) {
    const starting: Cause = {
      code: "progressing",
      reason: "the pod is starting",
      fix: `kubectl get pods --namespace ${namespace}`,
    };
    return found.map((pod) => ({ ...pod, cause: pod.cause ?? starting }));
  }
  if (pods.length < replicas)
    return {
      code: "progressing",
      reason: `${pods.length} of ${replicas} pods exist`,
      fix: `kubectl describe ${kind.toLowerCase()} ${name} --namespace ${namespace}`,
    };
  return { code: "progressing", reason: "the pods are starting", fix: `kubectl get pods --namespace ${namespace}` };
}

/**
 * Returns the reason why the API server rejected pods of a workload. Returns null if Kubernetes reports no rejection. A
 * Deployment reports the reason in a condition. For a StatefulSet or DaemonSet, only an event contains the reason.
 */
function refusalOf(workload: KubernetesObject, { events }: Snapshot): string | null {
  const failure = condition(workload, "ReplicaFailure");
  if (failure?.status === "True") return failure.message ?? "";
  return newestEvent(events, workload.metadata.uid, "FailedCreate");
}

/** Whether the scheduler cannot place a pod, because nodes are short of memory, disk space or process IDs. */
function isUnderPressure(pods: readonly KubernetesObject[]): boolean {
  return pods.some((pod) =>
    /node\.kubernetes\.io\/(memory|disk|pid)-pressure/.test(condition(pod, "PodScheduled")?.message ?? ""),
  );
}

/**
 * Returns the cause if a pod of an earlier revision prevents the update of a StatefulSet; otherwise null. If the pod
 * management policy is OrderedReady, the StatefulSet controller waits until this pod is ready. The controller waits
 * even if the pod can become ready only with the new revision (kubernetes.io, StatefulSets, "Forced rollback").
 */
function stalledBy(pod: KubernetesObject, cause: Cause, workload: KubernetesObject, { namespace }: Subject): Cause | null {
  const revision = pod.metadata.labels?.["controller-revision-hash"];
  const wanted = at(workload, "status", "updateRevision");
  const ordered = at(workload, "spec", "podManagementPolicy") !== "Parallel";
  if (workload.kind !== "StatefulSet" || !ordered || revision === undefined || revision === wanted) return null;
  if (!repairable.includes(cause.code)) return null;
  const { name } = pod.metadata;
  return {
    code: "rollout-stalled",
    reason: `the StatefulSet controller waits until pod ${name} of the earlier revision is ready: ${cause.reason}`.slice(0, 300),
    fix: `kubectl delete pod ${name} --namespace ${namespace}: the StatefulSet creates the pod again with the new revision`,
  };
}

/** Codes of the causes that a new revision of the StatefulSet can fix. */
const repairable: readonly Cause["code"][] = ["image-pull", "pod-broken", "pod-crashing", "probe-failing"];
