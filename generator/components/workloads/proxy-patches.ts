import { injectKey, portKeys, proxyPrefix } from "../../catalog/well-known.ts";
import type { JsonMap, KubernetesObject, StringMap } from "../../kubernetes/object.ts";
import type { PodSet, Port } from "../../mesh/pod-set.ts";
import type { Workload } from "../../spec/environment.generated.ts";
import type { ModelContext } from "../component.ts";
import type { Patch } from "../patch.ts";
import { revisionAnnotation } from "../pod-template.ts";

/**
 * Returns patches for the objects of a workload that meshops delivers. In pod templates, the patches set annotations
 * that configure injection and proxies. In Services, the patches set annotations that mark opaque ports.
 */
export function workloadPatches({ restart }: Workload, sets: readonly PodSet[], { identity }: ModelContext): Patch[] {
  const revision = restart === "onIdentityChange" ? revisionAnnotation(identity.revision()) : {};
  return sets.flatMap((set) => [...templatePatch(set, revision), ...servicePatches(set)]);
}

/**
 * Returns the annotations that meshops adds to the pod template of a set. The result is empty if the set inherits
 * injection from the namespace and has no settings for the proxies. In this case, meshops does not change the template.
 */
export function templateAnnotations({ inject, proxy = {}, ports }: PodSet): StringMap {
  if (inject === "disabled") return { [injectKey]: inject };
  const settings = Object.fromEntries(Object.entries(proxy).map(([key, value]) => [proxyPrefix + key, value]));
  if (inject === "inherited" && Object.keys(settings).length === 0) return {};
  return { ...(inject === "inherited" ? {} : { [injectKey]: inject }), ...opaque(ports, ({ port }) => port), ...settings };
}

function templatePatch(set: PodSet, revision: StringMap): Patch[] {
  const { workloadRef, inject } = set;
  const annotations = templateAnnotations(set);
  if (workloadRef === null || Object.keys(annotations).length === 0) return [];
  const template = { metadata: { annotations: { ...annotations, ...(inject === "disabled" ? {} : revision) } } };
  const spec = workloadRef.kind === "CronJob" ? { jobTemplate: { spec: { template } } } : { template };
  const apiVersion = workloadRef.kind === "CronJob" || workloadRef.kind === "Job" ? "batch/v1" : "apps/v1";
  return [patchOf({ apiVersion, kind: workloadRef.kind, metadata: { name: workloadRef.name }, spec })];
}

function servicePatches({ services = [], ports }: PodSet): Patch[] {
  const annotations = opaque(ports, ({ port, servicePort = port }) => servicePort);
  if (Object.keys(annotations).length === 0) return [];
  return services.map((name) => patchOf({ apiVersion: "v1", kind: "Service", metadata: { name, annotations } }));
}

/**
 * Returns the annotation with the list of opaque ports. In the annotation of a pod, the list contains numbers of
 * container ports. In the annotation of a Service, the list contains numbers of the Service's ports (linkerd2,
 * destination, profile translator).
 */
function opaque(ports: PodSet["ports"], number: (port: Port) => number): StringMap {
  const found = Object.values(ports).filter(({ protocol }) => protocol === "opaque");
  return found.length === 0 ? {} : { [portKeys.opaque]: found.map(number).join(",") };
}

/**
 * Returns a patch that also matches an object without a namespace, because some charts do not write a namespace into
 * their objects. The patch has a target. If a patch has no target, Kustomize compares the namespace of the patch with
 * the namespace of the object. The name in a target is a regular expression that must match the whole name of the
 * object (kustomize, api/types/selector.go).
 */
function patchOf(patch: KubernetesObject & JsonMap): Patch {
  const { kind, metadata } = patch;
  return { target: { kind, name: metadata.name.replaceAll(".", "\\.") }, patch };
}
