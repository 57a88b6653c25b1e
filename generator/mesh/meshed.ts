import { injectKey, proxyContainer } from "../catalog/well-known.ts";
import { annotationsOf, type ManifestSet } from "../kubernetes/manifest-set.ts";
import { containersOf, type Labels, type Workload } from "../kubernetes/workload.ts";

/**
 * Whether pods have a proxy. `unknown` if this depends on the annotations of the pods' namespace, and these annotations
 * are not known.
 */
export type Meshed = "yes" | "no" | "unknown";

/** Values from which the proxy injector decides whether to inject a pod. */
export interface InjectionFacts {
  /** Annotations of the pod, or of its pod template. */
  readonly annotations: Labels;
  /** Annotations of the namespace; null if they are not known. */
  readonly namespace: Labels | null;
  readonly hostNetwork: boolean;
  /** Whether the pod already has a proxy. */
  readonly hasProxy: boolean;
}

/**
 * Whether a pod is meshed, according to the injector's rules (linkerd2, pkg/inject/report.go). A pod in the host
 * network is never injected. The annotation of the pod takes precedence over the annotation of the namespace. An empty
 * annotation is treated as a missing annotation.
 */
export function isMeshed({ annotations, namespace, hostNetwork, hasProxy }: InjectionFacts): Meshed {
  if (hasProxy) return "yes";
  if (hostNetwork) return "no";
  const own = annotations[injectKey];
  const unset = own === undefined || own === "";
  const inject = unset ? namespace?.[injectKey] : own;
  if (inject === "enabled" || inject === "ingress") return "yes";
  return namespace === null && unset ? "unknown" : "no";
}

/** Whether the pods of a workload in a manifest are meshed. */
export function workloadIsMeshed(workload: Workload, stream: ManifestSet): Meshed {
  const namespace = stream.namespaceOf(workload.manifest.namespace);
  return isMeshed({
    annotations: workload.annotations,
    namespace: namespace === null ? null : annotationsOf(namespace),
    hostNetwork: workload.pod["hostNetwork"] === true,
    hasProxy: hasProxy(workload),
  });
}

/** Whether the pods in a manifest already have a proxy. */
export function hasProxy(workload: Workload): boolean {
  return containersOf(workload).some(({ container }) => container["name"] === proxyContainer);
}

/** Annotations of a workload's pods, including the proxy configuration that the pods inherit from their namespace. */
export function proxyAnnotations({ annotations, manifest }: Workload, stream: ManifestSet): Labels {
  const namespace = stream.namespaceOf(manifest.namespace);
  const inherited = namespace === null ? [] : Object.entries(annotationsOf(namespace));
  return { ...Object.fromEntries(inherited.filter(([key]) => key.startsWith("config."))), ...annotations };
}
