import { tapKeys } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { isLive, proxyOf } from "./pod.ts";
import { isInSet, type PodSet } from "./pod-set.ts";
import { restartCommand } from "./restart.ts";

/**
 * If linkerd-viz may tap the pods of a set, returns the pods whose proxies do not support tap. The tap injector of
 * linkerd-viz changes a pod only when the pod is created, so tap does not work for pods that started before the tap
 * injector (linkerd2, viz/tap/injector/webhook.go). Omits pods for which a user disabled tap.
 */
export function untappedPods(
  set: PodSet,
  pods: readonly KubernetesObject[],
  namespaces: readonly KubernetesObject[],
): KubernetesObject[] {
  if (!set.access.viz) return [];
  const namespace = namespaces.find(({ metadata }) => metadata.name === set.namespace);
  if (namespace !== undefined && isSet(namespace, tapKeys.disabled)) return [];
  return pods.filter(
    (pod) =>
      isInSet(pod, set) &&
      isLive(pod) &&
      proxyOf(pod) !== undefined &&
      !isSet(pod, tapKeys.enabled) &&
      !isSet(pod, tapKeys.disabled),
  );
}

/**
 * Returns the command that restarts the pods of a set, so that tap works for the new pods. If the set has no workload,
 * returns an instruction instead.
 */
export function tapFix({ workloadRef, namespace, title }: PodSet): string {
  if (workloadRef === null) return `restart the pods of ${title} in namespace ${namespace}`;
  const { kind, name } = workloadRef;
  return restartCommand(`${kind.toLowerCase()} ${name}`, namespace);
}

function isSet({ metadata }: KubernetesObject, key: string): boolean {
  return ["1", "t", "T", "true", "True", "TRUE"].includes(metadata.annotations?.[key] ?? "");
}
