import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import {
  type AnnotationPlace,
  annotationPrefixes,
  type LinkerdAnnotation,
  linkerdAnnotations,
  readBy,
  writtenAnnotations,
} from "../../catalog/linkerd-annotations.ts";
import { injectKey, policyGroup } from "../../catalog/well-known.ts";
import { nearest } from "../../diagnostics/suggest.ts";
import { annotationsOf, type ManifestSet } from "../../kubernetes/manifest-set.ts";
import { at, mapAt } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { type Labels, workloadOf } from "../../kubernetes/workload.ts";
import { rejectedValue } from "../../mesh/annotation-values.ts";
import { alternatives } from "../../system/text.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about the annotations that configure Linkerd. */
export const annotationRules: readonly ManifestRule[] = [
  {
    code: "annotation-unknown",
    severity: "warning",
    title: "Linkerd has no annotation with this name",
    why: "Linkerd ignores an annotation with an unknown name, and reports no error. The proxies keep their default settings (linkerd2, pkg/k8s/labels.go). Some annotations exist only in some Linkerd releases.",
    fix: "Correct the name of the annotation, or remove the annotation.",
    check: unknownKeys,
  },
  {
    code: "annotation-value",
    severity: "error",
    title: "Linkerd does not accept the value of an annotation",
    why: "Linkerd ignores a value that it cannot parse, and uses the default value instead. The default value often protects less than the intended value. Example: if the value of `config.linkerd.io/default-inbound-policy` is unknown, all clients are admitted (linkerd2, pkg/inject/inject.go, pkg/util/parsing.go).",
    fix: "Use a value in the format that the finding shows.",
    check: badValues,
  },
  {
    code: "annotation-misplaced",
    severity: "warning",
    title: "An annotation is on the wrong kind of object",
    why: "Linkerd reads settings of proxies from pods and namespaces. It reads settings of outgoing requests (`retry.linkerd.io`, `timeout.linkerd.io`, `balancer.linkerd.io`) from Services, EgressNetworks and routes (linkerd2, policy-controller/k8s/index/src/outbound).",
    fix: "Move the annotation to an object of a kind that the finding shows.",
    check: misplaced,
  },
  {
    code: "inject-label",
    severity: "error",
    title: "A setting of Linkerd is a label instead of an annotation",
    why: "Linkerd reads its settings only from annotations (linkerd2, pkg/inject/inject.go). If `linkerd.io/inject` is a label, pods start without a proxy, and Linkerd reports no error.",
    fix: "Move the label to the annotations of the same object.",
    check: labels,
  },
];

/** The annotations or the labels of an object or of its pod template. */
interface Place {
  readonly manifest: Manifest;
  /**
   * Kind of object to which the annotations or labels belong. Null for the metadata of a workload itself, because
   * Linkerd reads only the metadata of the workload's pod template.
   */
  readonly place: AnnotationPlace | null;
  readonly path: readonly string[];
  readonly values: Labels;
}

const placeOfKind: Readonly<Record<string, AnnotationPlace>> = {
  "v1/Namespace": "namespace",
  "v1/Service": "service",
  "policy.linkerd.io/EgressNetwork": "egress-network",
  "policy.linkerd.io/HTTPRoute": "route",
  "gateway.networking.k8s.io/HTTPRoute": "route",
  "gateway.networking.k8s.io/GRPCRoute": "route",
};

const nameOfPlace: Readonly<Record<AnnotationPlace, string>> = {
  namespace: "a namespace",
  pod: "a pod template",
  service: "a Service",
  "egress-network": "an EgressNetwork",
  route: "a route (HTTPRoute or GRPCRoute)",
};

/**
 * Yields the annotations or the labels of pods, pod templates, workloads, the kinds in `placeOfKind`, and all other
 * kinds of Linkerd.
 */
function* places({ stated }: ManifestSet, field: "annotations" | "labels"): Iterable<Place> {
  for (const manifest of stated) {
    const group = manifest.apiVersion.includes("/") ? manifest.apiVersion.replace(/\/.*/, "") : manifest.apiVersion;
    const workload = workloadOf(manifest);
    const template = workload?.template.map(String) ?? [];
    const own = field === "annotations" ? annotationsOf(manifest) : mapAt(manifest.value, "metadata", "labels");
    const place = workload !== null && template.length === 0 ? "pod" : (placeOfKind[`${group}/${manifest.kind}`] ?? null);
    const isOfLinkerd = group === policyGroup || group === "linkerd.io";
    if (place !== null || workload !== null || isOfLinkerd) yield { manifest, place, path: ["metadata", field], values: own };
    if (workload === null || template.length === 0) continue;
    const values = field === "annotations" ? workload.annotations : workload.labels;
    yield { manifest, place: "pod", path: [...template, "metadata", field], values };
  }
}

function isReserved(key: string): boolean {
  return annotationPrefixes.has(key.slice(0, Math.max(0, key.indexOf("/"))));
}

function* unknownKeys(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  for (const { manifest, path, values } of places(stream, "annotations"))
    for (const key of Object.keys(values).filter(isReserved)) {
      if (writtenAnnotations.has(key)) continue;
      const known = linkerdAnnotations[key];
      const missing =
        known === undefined
          ? { message: `Linkerd does not have an annotation with the name ${key}`, fix: correction(key) }
          : outside(key, known, release);
      if (missing !== null) yield { manifest, path: [...path, key], part: "key", ...missing };
    }
}

/**
 * Returns a fix that suggests an annotation of Linkerd. The suggested annotation has the same name and another prefix.
 * If no such annotation exists, the fix suggests the annotation with the most similar name.
 */
function correction(key: string): string {
  const keys = Object.keys(linkerdAnnotations);
  const name = key.slice(key.indexOf("/"));
  const guess = keys.find((each) => each.endsWith(name)) ?? nearest(key, keys);
  return guess === null ? "remove the annotation" : `did you mean "${guess}"?`;
}

/**
 * Returns a message and a fix if other releases read the annotation, but the given release does not. Otherwise, returns
 * null.
 */
function outside(key: string, known: LinkerdAnnotation, release: LinkerdRelease | null): { message: string; fix: string } | null {
  if (release === null) return null;
  const read = readBy(known, release);
  if (read === "yes") return null;
  return read === "too-old"
    ? {
        message: `Linkerd ${release.version} does not read ${key}. Linkerd reads this annotation only from ${known.since} on`,
        fix: `remove the annotation, or use Linkerd ${known.since} or later`,
      }
    : {
        message: `Linkerd ${release.version} no longer reads ${key}. In the catalog of meshops, the last release that reads this annotation is ${known.until}`,
        fix: "remove the annotation",
      };
}

function* badValues(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, path, values, place } of places(stream, "annotations"))
    for (const [key, value] of Object.entries(values)) {
      const known = linkerdAnnotations[key];
      // The rule inject-value checks linkerd.io/inject. The rule annotation-not-text reports values that are not
      // strings.
      if (known === undefined || place === null || key === injectKey || typeof value !== "string") continue;
      const expected = rejectedValue(known.format, value);
      if (expected === null) continue;
      yield {
        manifest,
        path: [...path, key],
        message: `Linkerd does not accept "${value}" as the value of ${key}`,
        fix: `use ${expected}`,
      };
    }
}

function* misplaced(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  for (const { manifest, path, values, place } of places(stream, "annotations"))
    for (const key of Object.keys(values)) {
      const known = linkerdAnnotations[key];
      if (known === undefined || (place !== null && known.on.includes(place))) continue;
      // The rule annotation-unknown reports annotations that the release does not read.
      if (outside(key, known, release) !== null) continue;
      // The rule inject-misplaced reports pod annotations that are in the metadata of a workload.
      if (place === null && known.on.includes("pod") && workloadOf(manifest) !== null) continue;
      yield {
        manifest,
        path: [...path, key],
        part: "key",
        message: `Linkerd does not read ${key} from ${place === null ? `the ${manifest.kind} itself` : nameOfPlace[place]}`,
        fix: `move the annotation to ${alternatives(known.on.map((each) => nameOfPlace[each]))}`,
      };
    }
}

function* labels(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, path, values } of places(stream, "labels"))
    for (const key of Object.keys(values)) {
      if (linkerdAnnotations[key] === undefined) continue;
      // Skip the label if the object also has an annotation with this key, because Linkerd reads the annotation.
      if (at(manifest.value, ...path.slice(0, -1), "annotations", key) !== undefined) continue;
      yield {
        manifest,
        path: [...path, key],
        part: "key",
        message: `${key} is a label, but Linkerd reads this setting only from annotations`,
        fix: `move ${key} from labels to annotations`,
      };
    }
}
