import { asMap, listOf } from "../system/data.ts";
import type { KubernetesObject } from "./object.ts";
import { at } from "./object-fields.ts";
import type { Labels } from "./workload.ts";

/**
 * Whether a label selector selects pods with the given labels. An empty selector selects all pods (Kubernetes API,
 * LabelSelector). The function also returns true if the selector is missing.
 */
export function selects(selector: unknown, labels: Labels): boolean {
  const { matchLabels, matchExpressions } = asMap(selector);
  const equal = Object.entries(asMap(matchLabels)).every(([key, value]) => labels[key] === value);
  return equal && listOf(matchExpressions).every((expression) => holds(asMap(expression), labels));
}

/**
 * Whether the `podSelector` of an object, such as a NetworkPolicy or a Server, selects a pod. A `podSelector` selects
 * only pods in the namespace of its object.
 */
export function selectsPod({ metadata, spec }: KubernetesObject, pod: KubernetesObject): boolean {
  return metadata.namespace === pod.metadata.namespace && selects(at(spec, "podSelector"), pod.metadata.labels ?? {});
}

function holds({ key, operator, values }: Record<string, unknown>, labels: Labels): boolean {
  const value = labels[String(key)];
  switch (operator) {
    case "In":
      return value !== undefined && listOf(values).includes(value);
    case "NotIn":
      return value === undefined || !listOf(values).includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return false;
  }
}
