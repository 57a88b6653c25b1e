import { injectKey, proxyContainer } from "../catalog/well-known.ts";
import { annotationsOf, type ManifestSet } from "../kubernetes/manifest-set.ts";
import { containersOf, type Labels, type Workload } from "../kubernetes/workload.ts";

/** Whether pods have a proxy; `unknown` if the annotations of their namespace decide and are not known. */
export type Meshed = "yes" | "no" | "unknown";

/** What the injector looks at. */
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
 * Whether a pod is meshed, as the injector decides (linkerd2, pkg/inject/report.go): a pod on the host's network never is; the pod's own annotation
 * comes before the namespace's, and an empty one counts as missing.
 */
export function isMeshed({ annotations, namespace, hostNetwork, hasProxy }: InjectionFacts): Meshed {
  if (hasProxy) return "yes";
  if (hostNetwork) return "no";
  const own = annotations[injectKey];
  const silent = own === undefined || own === "";
  const inject = silent ? namespace?.[injectKey] : own;
  if (inject === "enabled" || inject === "ingress") return "yes";
  return namespace === null && silent ? "unknown" : "no";
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

/** Configuration of a workload's proxy: of its pods, otherwise of their namespace. */
export function proxyAnnotations({ annotations, manifest }: Workload, stream: ManifestSet): Labels {
  const namespace = stream.namespaceOf(manifest.namespace);
  const inherited = namespace === null ? [] : Object.entries(annotationsOf(namespace));
  return { ...Object.fromEntries(inherited.filter(([key]) => key.startsWith("config."))), ...annotations };
}
