import type { V1Container, V1ContainerStatus } from "@kubernetes/client-node";
import { proxyContainer } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt } from "../kubernetes/object-fields.ts";

/** Whether a container, or the status of a container, belongs to the proxy. */
export function isProxyContainer({ name }: { readonly name?: unknown }): boolean {
  return name === proxyContainer;
}

/**
 * Returns the proxy of a pod: a container, or an init container that keeps running (native sidecar). Returns undefined
 * if the pod has no proxy.
 */
export function proxyOf(pod: KubernetesObject): V1Container | undefined {
  const all = [...listAt<V1Container>(pod, "spec", "containers"), ...listAt<V1Container>(pod, "spec", "initContainers")];
  return all.find(isProxyContainer);
}

/**
 * Returns the value of an environment variable of a pod's proxy. Returns undefined if the variable is not set, or if
 * the variable refers to another object (`valueFrom`).
 */
export function proxyVariable(pod: KubernetesObject, variable: string): string | undefined {
  return proxyOf(pod)?.env?.find(({ name }) => name === variable)?.value;
}

/**
 * Returns the trust anchors in the environment variables of a pod's proxy, as trimmed PEM. Returns undefined if the
 * variables contain no trust anchors.
 */
export function anchorsOf(pod: KubernetesObject): string | undefined {
  return proxyVariable(pod, "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS")?.trim();
}

/** Whether a pod is active: the pod has not finished, and is not being deleted. */
export function isLive(pod: KubernetesObject): boolean {
  return !["Succeeded", "Failed"].includes(String(at(pod, "status", "phase"))) && pod.metadata.deletionTimestamp === undefined;
}

/** Returns the statuses of all containers of a pod, init containers first. */
export function containerStatuses(pod: KubernetesObject): readonly V1ContainerStatus[] {
  return [
    ...listAt<V1ContainerStatus>(pod, "status", "initContainerStatuses"),
    ...listAt<V1ContainerStatus>(pod, "status", "containerStatuses"),
  ];
}

/**
 * Whether a pod waits for its proxy: the proxy is running but not ready. The proxy becomes ready when it has received a
 * certificate. While the proxy is not ready, the other containers either do not start (native sidecars, `proxy-await`)
 * or have no network access.
 */
export function waitsForProxy(pod: KubernetesObject): boolean {
  const proxy = containerStatuses(pod).find(isProxyContainer);
  return proxy?.state?.running !== undefined && proxy.ready !== true;
}

/**
 * Returns the init containers and then the containers of a pod. A proxy that is a native sidecar is an init container.
 */
export function podContainers(pod: KubernetesObject): unknown[] {
  return [...listAt(pod, "spec", "initContainers"), ...listAt(pod, "spec", "containers")];
}
