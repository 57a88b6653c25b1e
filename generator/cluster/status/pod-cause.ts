import { lostSecrets } from "../../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at, condition } from "../../kubernetes/object-fields.ts";
import { type PodProblem, podProblem } from "../pod-problem.ts";
import type { Cause, Subject } from "./cause.ts";
import { proxyWaitCause } from "./proxy-cause.ts";
import { serverRefusal } from "./server-refusal.ts";
import type { Snapshot } from "./snapshot.ts";

/** Returns the reason why a pod is not ready. Returns null if no reason is known, for example while the pod starts. */
export function podCause(pod: KubernetesObject, snapshot: Snapshot, subject: Subject): Cause | null {
  const problem = podProblem(pod);
  return (
    unplaced(pod, problem, snapshot, subject) ??
    missingSecret([pod], snapshot, subject) ??
    broken(pod, problem, subject) ??
    proxyWaitCause(pod, snapshot, subject) ??
    serverRefusal(pod, snapshot)
  );
}

/** Whether the kubelet reports a pod as ready. */
export function isPodReady(pod: KubernetesObject): boolean {
  return condition(pod, "Ready")?.status === "True";
}

/**
 * Returns the cause if pods mount a Secret that does not exist. A running pod keeps its mounted files, so Kubernetes,
 * Helm and Flux do not report the missing Secret until the pod restarts.
 */
export function missingSecret(pods: readonly KubernetesObject[], { identity }: Snapshot, { environment }: Subject): Cause | null {
  const [missing] = pods.flatMap((pod) => lostSecrets(identity, [pod]));
  if (missing === undefined) return null;
  const [id, pod] = missing;
  const [namespace = "", name = ""] = id.split("/");
  return {
    code: "secret-missing",
    reason: `pod ${pod.metadata.name} mounts Secret ${name}, which does not exist in ${namespace}`,
    fix: `run flux reconcile kustomization identity, or helmfile -e ${environment} -l name=identity sync`,
  };
}

/**
 * Returns the cause if a pod is unschedulable or waits for a volume. A PersistentVolumeClaim that waits until its pod
 * is scheduled is not a cause.
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

/** Returns the cause if a container of a pod cannot start or is crash-looping. */
function broken({ metadata: { name } }: KubernetesObject, problem: PodProblem | null, { namespace }: Subject): Cause | null {
  switch (problem?.kind) {
    case "image-pull":
      return {
        code: "image-pull",
        reason: `pod ${name} cannot pull ${problem.image} (${problem.reason})`,
        fix: "check that the image is in the registry (see meshops images) and that the cluster is allowed to pull the image; meshops bootstrap imports the images and grants the role AcrPull",
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
