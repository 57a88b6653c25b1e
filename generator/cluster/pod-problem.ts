import type { KubernetesObject } from "../kubernetes/object.ts";
import { condition } from "../kubernetes/object-fields.ts";
import { containerStatuses, waitsForProxy } from "../mesh/pod.ts";

/** Reason why a pod does not run or is not ready. The scheduler or the kubelet reports this reason. */
export type PodProblem =
  | { readonly kind: "unscheduled"; readonly message: string }
  | { readonly kind: "image-pull"; readonly container: string; readonly image: string; readonly reason: string }
  /** A container is crash-looping. `reason` is the reason for the last termination of the container. */
  | { readonly kind: "crashing"; readonly container: string; readonly reason: string | undefined }
  | { readonly kind: "cannot-start"; readonly container: string; readonly message: string }
  /** The pod is not ready, because its proxy runs but has no certificate yet. */
  | { readonly kind: "proxy-waits" };

/**
 * Returns the first problem that prevents a pod from running. Returns null if Kubernetes reports no problem, for
 * example while the pod starts.
 */
export function podProblem(pod: KubernetesObject): PodProblem | null {
  return unscheduled(pod) ?? containerProblem(pod) ?? (waitsForProxy(pod) ? { kind: "proxy-waits" } : null);
}

function unscheduled(pod: KubernetesObject): PodProblem | null {
  const scheduled = condition(pod, "PodScheduled");
  return scheduled?.status === "False" ? { kind: "unscheduled", message: scheduled.message ?? scheduled.reason ?? "" } : null;
}

/**
 * Returns the problem of the first container that cannot start or is crash-looping; null if the pod has no such
 * container. The kubelet defines the reasons (kubernetes, pkg/kubelet/images/types.go and container/sync_result.go).
 */
function containerProblem(pod: KubernetesObject): PodProblem | null {
  for (const { image, state, name: container, ready, restartCount = 0, lastState } of containerStatuses(pod)) {
    const { reason = "", message = "" } = state?.waiting ?? {};
    if (/ErrImage|ImagePull|InvalidImageName|ImageInspect/.test(reason)) return { kind: "image-pull", container, image, reason };
    if (reason === "CrashLoopBackOff" || (ready === false && restartCount > 2))
      return { kind: "crashing", container, reason: lastState?.terminated?.reason };
    if (/Error$/.test(reason)) return { kind: "cannot-start", container, message: message || reason };
  }
  return null;
}
