import { injectKey, proxyContainer } from "../catalog/well-known.ts";
import { annotationsOf, type ManifestSet } from "../kubernetes/manifest-set.ts";
import { containersOf, type Labels, type Workload } from "../kubernetes/workload.ts";

/**
 * Whether pods have a proxy; `unknown` if this depends on the annotations of their namespace, and these are not known.
 */
export type Meshed = "yes" | "no" | "unknown";

/** Input of the injector's decision. */
export interface InjectionFacts {
  /** Annotations of the pod or its template. */
  readonly annotations: Labels;
  /** Annotations of the namespace; null if they are not known. */
  readonly namespace: Labels | null;
  readonly hostNetwork: boolean;
  /** Whether the pod has a proxy already. */
  readonly hasProxy: boolean;
}

/**
 * Whether a pod is meshed, according to the injector's rules (linkerd2, pkg/inject/report.go): a pod in the host's
 * network is never injected; the annotation of the pod takes precedence over that of the namespace; an empty annotation
 * is treated as missing.
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

/** `isMeshed` for the pods of a manifest. */
export function workloadIsMeshed(workload: Workload, stream: ManifestSet): Meshed {
  const namespace = stream.namespaceOf(workload.manifest.namespace);
  return isMeshed({
    annotations: workload.annotations,
    namespace: namespace === null ? null : annotationsOf(namespace),
    hostNetwork: workload.pod["hostNetwork"] === true,
    hasProxy: hasProxy(workload),
  });
}

/** Whether a manifest's pods have a proxy already. */
export function hasProxy(workload: Workload): boolean {
  return containersOf(workload).some(({ container }) => container["name"] === proxyContainer);
}

/** Annotations of a workload's pods, including the proxy configuration that they inherit from their namespace. */
export function proxyAnnotations({ annotations, manifest }: Workload, stream: ManifestSet): Labels {
  const namespace = stream.namespaceOf(manifest.namespace);
  const inherited = namespace === null ? [] : Object.entries(annotationsOf(namespace));
  return { ...Object.fromEntries(inherited.filter(([key]) => key.startsWith("config."))), ...annotations };
}
