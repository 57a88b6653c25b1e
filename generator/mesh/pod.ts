import { proxyContainer } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt } from "../kubernetes/object-fields.ts";

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/** Status of a container, as the kubelet reports it. */
export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly ready?: boolean;
  readonly started?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly exitCode?: number };
  };
  readonly lastState?: { readonly terminated?: { readonly reason?: string } };
}

/** The proxy of a pod: a container, or an init container that keeps running (native sidecar). */
export function proxyOf(pod: KubernetesObject): Container | undefined {
  const all = [...listAt<Container>(pod, "spec", "containers"), ...listAt<Container>(pod, "spec", "initContainers")];
  return all.find(({ name }) => name === proxyContainer);
}

/** Value of a variable of a pod's proxy; undefined if it has none, or takes it from another object. */
export function proxyVariable(pod: KubernetesObject, variable: string): string | undefined {
  return proxyOf(pod)?.env?.find(({ name }) => name === variable)?.value;
}

/** Trust anchors of a pod's proxy as PEM, trimmed; undefined if its environment does not contain them. */
export function anchorsOf(pod: KubernetesObject): string | undefined {
  return proxyVariable(pod, "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS")?.trim();
}

/** Whether a pod has neither ended nor is being deleted. */
export function isLive(pod: KubernetesObject): boolean {
  return !["Succeeded", "Failed"].includes(String(at(pod, "status", "phase"))) && pod.metadata.deletionTimestamp === undefined;
}

/** Statuses of all containers of a pod, init containers first. */
export function containerStatuses(pod: KubernetesObject): readonly ContainerStatus[] {
  return [
    ...listAt<ContainerStatus>(pod, "status", "initContainerStatuses"),
    ...listAt<ContainerStatus>(pod, "status", "containerStatuses"),
  ];
}

/**
 * Whether a pod waits for its proxy: the proxy runs and is not ready. It becomes ready when it has a certificate; until then the other
 * containers do not start (native sidecars, `proxy-await`), or start without a network.
 */
export function waitsForProxy(pod: KubernetesObject): boolean {
  const proxy = containerStatuses(pod).find(({ name }) => name === proxyContainer);
  return proxy?.state?.running !== undefined && proxy.ready !== true;
}
