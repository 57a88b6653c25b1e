import { reconcileCommand } from "../../bundle/emit/placement.ts";
import { lostSecrets } from "../../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at, condition } from "../../kubernetes/object-fields.ts";
import { containerStatuses } from "../../mesh/pod.ts";
import { type PodProblem, podProblem } from "../pod-problem.ts";
import type { Cause, Subject } from "./cause.ts";
import { proxyWaitCause } from "./proxy-cause.ts";
import { serverRefusal } from "./server-refusal.ts";
import type { Snapshot } from "./snapshot.ts";

/** Returns the reason why a pod is not ready. Returns null if no reason is found, for example while the pod starts. */
export function podCause(pod: KubernetesObject, snapshot: Snapshot, subject: Subject): Cause | null {
  const problem = podProblem(pod);
  return (
    unplaced(pod, problem, snapshot, subject) ??
    missingSecret([pod], snapshot, subject) ??
    broken(pod, problem, subject) ??
    proxyWaitCause(pod, snapshot, subject) ??
    serverRefusal(pod, snapshot) ??
    failingProbe(pod, snapshot, subject)
  );
}

/** Whether the kubelet reports a pod as ready. */
export function isPodReady(pod: KubernetesObject): boolean {
  return condition(pod, "Ready")?.status === "True";
}

/**
 * Returns the cause if pods mount a Secret that does not exist; otherwise null. A running pod keeps the files of a
 * deleted Secret. Therefore, Kubernetes, Helm and Flux report the missing Secret only after the pod restarts.
 */
export function missingSecret(
  pods: readonly KubernetesObject[],
  { identity, externalCertificates }: Snapshot,
  { environment, placement }: Subject,
): Cause | null {
  const [missing] = pods.flatMap((pod) => lostSecrets(identity, [pod]));
  if (missing === undefined) return null;
  const [id, pod] = missing;
  const [namespace = "", name = ""] = id.split("/");
  return {
    code: "secret-missing",
    reason: `pod ${pod.metadata.name} mounts Secret ${name}, which does not exist in namespace ${namespace}`,
    fix: externalCertificates
      ? "restore the Secret, or create the Secret with the program that manages your certificates"
      : `with Flux, run ${reconcileCommand(placement, "identity")}; with helmfile, run helmfile -e ${environment} -l name=identity sync`,
  };
}

/**
 * Returns the cause if a pod is unschedulable or waits for a volume; otherwise null. If the pod is unschedulable for a
 * reason other than a volume, returns this reason, even if a PersistentVolumeClaim of the pod is pending: the
 * PersistentVolumeClaim can be waiting until the pod is scheduled.
 */
function unplaced(pod: KubernetesObject, problem: PodProblem | null, { claims }: Snapshot, { namespace }: Subject): Cause | null {
  const { name } = pod.metadata;
  const message = problem?.kind === "unscheduled" ? problem.message : null;
  const volume = /unbound immediate PersistentVolumeClaims|persistentvolumeclaim .* not found|volume node affinity/i;
  if (message !== null && !volume.test(message))
    return {
      code: "pod-unschedulable",
      reason: `pod ${name} is unschedulable: ${message}`.slice(0, 300),
      fix: "add nodes or use larger nodes; on Azure, change azure.cluster in the spec",
    };
  const unbound = claims.find(
    ({ metadata, ...claim }) =>
      metadata.namespace === namespace && at(claim, "status", "phase") === "Pending" && metadata.name.endsWith(`-${name}`),
  );
  if (unbound === undefined || at(pod, "status", "phase") !== "Pending") return null;
  const claim = unbound.metadata.name;
  return {
    code: "volume",
    reason: `pod ${name} waits for its PersistentVolumeClaim ${claim}`,
    fix: `kubectl describe persistentvolumeclaim ${claim} --namespace ${namespace}`,
  };
}

/** Returns the cause if a container of a pod cannot start or is crash-looping; otherwise null. */
function broken({ metadata: { name } }: KubernetesObject, problem: PodProblem | null, { namespace }: Subject): Cause | null {
  switch (problem?.kind) {
    case "image-pull":
      return {
        code: "image-pull",
        reason: `pod ${name} cannot pull ${problem.image} (${problem.reason})`,
        fix: "check that the image is in the registry (see meshops images) and that the cluster is allowed to pull the image; for azure.registry, meshops bootstrap imports the images and grants the role AcrPull",
      };
    case "crashing":
      return {
        code: "pod-crashing",
        reason: `container ${problem.container} of pod ${name} is crash-looping${problem.reason === undefined ? "" : ` (${problem.reason})`}`,
        fix: `kubectl logs ${name} --container ${problem.container} --namespace ${namespace} --previous`,
      };
    case "cannot-start":
      return {
        code: "pod-broken",
        reason: `container ${problem.container} of pod ${name} cannot start: ${problem.message}`.slice(0, 300),
        fix: `kubectl describe pod ${name} --namespace ${namespace}`,
      };
    default:
      return null;
  }
}

/**
 * Number of seconds after the start of a container during which a failed probe is not a problem. Also the number of
 * seconds for which a deleted pod may still exist after the end of the grace period.
 */
const startupSeconds = 30;

/**
 * Returns the cause if a container has run longer than `startupSeconds`, but one of its probes fails; otherwise null.
 * The result of the probe is read from an event, because the status of the pod does not contain this result.
 */
function failingProbe(pod: KubernetesObject, { events, takenAt }: Snapshot, { namespace }: Subject): Cause | null {
  const { name, uid } = pod.metadata;
  const waiting = containerStatuses(pod).find(
    ({ ready, state }) =>
      !ready && state?.running?.startedAt !== undefined && secondsSince(state.running.startedAt, takenAt) > startupSeconds,
  );
  if (waiting === undefined) return null;
  const failed = newestEvent(events, uid, "Unhealthy");
  if (failed === null) return null;
  return {
    code: "probe-failing",
    reason: `container ${waiting.name} of pod ${name} is not ready: ${failed}`.slice(0, 300),
    fix: `kubectl logs ${name} --container ${waiting.name} --namespace ${namespace}`,
  };
}

/**
 * Returns the cause if a deleted pod still exists `startupSeconds` after the end of its grace period; otherwise null.
 * `deletionTimestamp` is the end of the grace period. While the deleted pod exists, a StatefulSet cannot create a new
 * pod with the same name.
 */
export function stuckTermination(pods: readonly KubernetesObject[], { takenAt }: Snapshot, { namespace }: Subject): Cause | null {
  const stuck = pods.find(
    ({ metadata: { deletionTimestamp } }) =>
      deletionTimestamp !== undefined && secondsSince(deletionTimestamp, takenAt) > startupSeconds,
  );
  if (stuck === undefined) return null;
  const { name, finalizers = [] } = stuck.metadata;
  const node = String(at(stuck, "spec", "nodeName"));
  return finalizers.length > 0
    ? {
        code: "pod-terminating",
        reason: `pod ${name} is stuck in Terminating, because it has the finalizer ${finalizers.join(", ")}`,
        fix: "check that the program that removes the finalizer is running, and read its log",
      }
    : {
        code: "pod-terminating",
        reason: `pod ${name} is stuck in Terminating, although its grace period has ended`,
        fix: `check whether node ${node} responds: kubectl describe node ${node}; if the node does not exist any more, run kubectl delete pod ${name} --namespace ${namespace} --force`,
      };
}

/**
 * Returns the cause if the kubelet evicted a pod because the node was short of memory, disk space or process IDs.
 * Otherwise, returns null.
 */
export function eviction(pods: readonly KubernetesObject[]): Cause | null {
  const evicted = pods.find(({ status }) => at(status, "reason") === "Evicted");
  if (evicted === undefined) return null;
  const node = String(at(evicted, "spec", "nodeName"));
  return {
    code: "pod-evicted",
    reason: `pod ${evicted.metadata.name} was evicted: ${String(at(evicted, "status", "message")).trim()}`.slice(0, 300),
    fix: `free memory or disk space on the node, or add nodes; to inspect the node, run kubectl describe node ${node}`,
  };
}

/** Returns the message of an object's newest event with the given reason; null if no such event exists. */
export function newestEvent(events: readonly KubernetesObject[], uid: string | undefined, reason: string): string | null {
  const own = events.filter((event) => at(event, "involvedObject", "uid") === uid && event["reason"] === reason);
  const newest = own.sort((a, b) => String(a["lastTimestamp"]).localeCompare(String(b["lastTimestamp"]))).at(-1);
  return newest === undefined ? null : String(newest["message"]);
}

function secondsSince(time: Date | string, now: Date): number {
  return (now.getTime() - new Date(time).getTime()) / 1000;
}
