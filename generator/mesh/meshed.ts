import { admissionWebhooksLabel, injectKey, uninjectedNamespaces } from "../catalog/well-known.ts";
import { annotationsOf, type ManifestSet } from "../kubernetes/manifest-set.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt } from "../kubernetes/object-fields.ts";
import { containersOf, type Labels, type Workload } from "../kubernetes/workload.ts";
import { asMap } from "../system/data.ts";
import { isProxyContainer } from "./pod.ts";

/**
 * Whether pods have a proxy. `unknown` means that the answer depends on values that are not known, such as the
 * annotations of the namespace.
 */
export type Meshed = "yes" | "no" | "unknown";

/** The namespace of a pod. Labels and annotations are null if they are not known. */
export interface InjectionNamespace {
  readonly name: string;
  readonly metadata: { readonly labels: Labels; readonly annotations: Labels } | null;
}

/** The facts about a pod that determine whether the proxy injector injects the pod. */
export interface InjectionFacts {
  /** Annotations of the pod, or of its pod template. */
  readonly annotations: Labels;
  readonly namespace: InjectionNamespace;
  readonly hostNetwork: boolean;
  /** Whether the pod already contains a sidecar of Istio. */
  readonly otherSidecar: boolean;
}

/** Reason why the proxy injector does not inject a pod, although an annotation requests injection. */
export type InjectionObstacle = "host-network" | "other-sidecar" | "webhooks-disabled" | "namespace-excluded";

/** Whether the value of the annotation `linkerd.io/inject` requests a proxy. */
export function requestsProxy(inject: unknown): boolean {
  return inject === "enabled" || inject === "ingress";
}

/**
 * Returns the value of `linkerd.io/inject` that applies to a pod: the value on the pod, or else the value on the
 * namespace.
 */
export function effectiveInject({ annotations, namespace }: InjectionFacts): unknown {
  const own = annotations[injectKey];
  return own === undefined || own === "" ? namespace.metadata?.annotations[injectKey] : own;
}

/** Returns the reason that prevents the injection of a pod; null if no reason is known. */
export function injectionObstacle({ namespace, hostNetwork, otherSidecar }: InjectionFacts): InjectionObstacle | null {
  if (uninjectedNamespaces.includes(namespace.name)) return "namespace-excluded";
  if (namespace.metadata?.labels[admissionWebhooksLabel] === "disabled") return "webhooks-disabled";
  if (hostNetwork) return "host-network";
  return otherSidecar ? "other-sidecar" : null;
}

/**
 * Whether the proxy injector injects a pod (linkerd2, pkg/inject/report.go, and the default `namespaceSelector` of the
 * injector's webhook). The annotation of the pod takes precedence over the annotation of the namespace. An empty
 * annotation has no effect. If the value contains a placeholder that another program replaces (`${…}`), the result is
 * `unknown`.
 */
export function isMeshed(facts: InjectionFacts): Meshed {
  if (injectionObstacle(facts) !== null) return "no";
  const { annotations, namespace } = facts;
  const own = annotations[injectKey];
  if (isInvalid(namespace.metadata?.annotations[injectKey])) return "no";
  const unset = own === undefined || own === "";
  const inject = effectiveInject(facts);
  if (requestsProxy(inject)) return "yes";
  if (typeof inject === "string" && inject.includes("${")) return "unknown";
  return namespace.metadata === null && unset ? "unknown" : "no";
}

/**
 * Whether the value of a namespace's injection annotation is invalid. If the value is invalid, the injector injects no
 * pod of the namespace. The injector then also ignores `linkerd.io/inject: enabled` on a pod (linkerd2,
 * pkg/inject/report.go, disabledByAnnotation).
 */
function isInvalid(inject: unknown): boolean {
  return typeof inject === "string" && !["", "enabled", "ingress", "disabled"].includes(inject) && !inject.includes("${");
}

/** Whether the pods of a workload in a manifest are meshed. */
export function workloadIsMeshed(workload: Workload, stream: ManifestSet): Meshed {
  return hasProxy(workload) ? "yes" : isMeshed(injectionFacts(workload, stream));
}

/** Returns the facts that determine whether the proxy injector injects the pods of a workload in a manifest. */
export function injectionFacts(workload: Workload, stream: ManifestSet): InjectionFacts {
  const name = workload.manifest.namespace;
  const found = stream.namespaceOf(name, workload.manifest);
  return factsOf(workload.annotations, workload.pod, {
    name,
    metadata:
      found === null ? null : { annotations: annotationsOf(found), labels: stream.namespaceLabels(name, workload.manifest) },
  });
}

/**
 * Returns the facts that determine whether the proxy injector injects a pod.
 *
 * @param annotations annotations of the pod, or of its pod template
 * @param pod the `spec` of the pod
 */
export function factsOf(annotations: Labels, pod: unknown, namespace: InjectionNamespace): InjectionFacts {
  return { annotations, namespace, hostNetwork: at(pod, "hostNetwork") === true, otherSidecar: hasOtherSidecar(pod) };
}

/**
 * Returns the name, labels and annotations of a namespace.
 *
 * @param namespaces the known Namespace objects of the cluster
 */
export function injectionNamespace(name: string, namespaces: readonly KubernetesObject[]): InjectionNamespace {
  const found = namespaces.find(({ metadata }) => metadata.name === name);
  const { labels = {}, annotations = {} } = found?.metadata ?? {};
  return { name, metadata: found === undefined ? null : { labels, annotations } };
}

/** Whether the manifest of a workload already contains the container of Linkerd's proxy. */
export function hasProxy(workload: Workload): boolean {
  return containersOf(workload).some(({ container }) => isProxyContainer(container));
}

/**
 * Whether a pod contains the sidecar of Istio. The corresponding check of the injector also searches for the containers
 * of Linkerd (linkerd2, pkg/healthcheck/sidecar.go).
 *
 * @param pod the `spec` of a pod
 */
function hasOtherSidecar(pod: unknown): boolean {
  const all = [...listAt(pod, "containers"), ...listAt(pod, "initContainers")].map(asMap);
  return all.some(
    ({ name, image }) =>
      name === "istio-proxy" || name === "istio-init" || /^gcr\.io\/istio-release\/proxy(v2|_init):/.test(String(image)),
  );
}

/**
 * Returns the annotations of a workload's pods, including the proxy configuration (`config.…`) that the pods inherit
 * from their namespace.
 */
export function proxyAnnotations({ annotations, manifest }: Workload, stream: ManifestSet): Labels {
  const namespace = stream.namespaceOf(manifest.namespace, manifest);
  const inherited = namespace === null ? [] : Object.entries(annotationsOf(namespace));
  return { ...Object.fromEntries(inherited.filter(([key]) => key.startsWith("config."))), ...annotations };
}
