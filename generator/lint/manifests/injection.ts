import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { injectKey, portKeys } from "../../catalog/well-known.ts";
import { annotationsOf, type ManifestSet } from "../../kubernetes/manifest-set.ts";
import { writtenAt } from "../../kubernetes/read.ts";
import { type Labels, type Workload, workloadOf } from "../../kubernetes/workload.ts";
import { workloadIsMeshed } from "../../mesh/meshed.ts";
import { asksForNativeSidecar, neverCompletes } from "../../mesh/sidecar-lifetime.ts";
import { isMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./rule.ts";

/** Whether pods get the proxy that somebody meant them to have. */
export const injectionRules: readonly ManifestRule[] = [
  {
    code: "inject-misplaced",
    severity: "error",
    title: "An annotation for pods that stands on their owner",
    why:
      "The injector sees pods and namespaces, never the Deployment (linkerd2, pkg/inject/report.go). An annotation in the Deployment's own metadata " +
      "injects nothing, and nobody says so.",
    fix: "Move it to `spec.template.metadata.annotations`, or to the namespace.",
    check: misplaced,
  },
  {
    code: "inject-host-network",
    severity: "error",
    title: "A pod on the host's network that is to be injected",
    why: "The injector passes over pods with `hostNetwork: true` (linkerd2, pkg/inject/report.go): their traffic cannot be redirected without redirecting the node's.",
    fix: "Leave `hostNetwork` out, or say `linkerd.io/inject: disabled` so that nobody counts on a proxy.",
    check: hostNetwork,
  },
  {
    code: "inject-value",
    severity: "error",
    title: "A value that the injector does not know",
    why: "It knows `enabled`, `ingress` and `disabled`. With anything else, such as `true`, the pod starts without a proxy, and on a namespace even pods that say `enabled` do (linkerd2, pkg/inject/report.go).",
    fix: "Use `enabled`.",
    check: unknownValue,
  },
  {
    code: "annotation-not-text",
    severity: "error",
    title: "An annotation that is no text",
    why: "Kubernetes takes only strings as annotations and refuses the whole object otherwise. Single ports and booleans are no strings to YAML unless quoted.",
    fix: "Put quotes around the value.",
    check: notText,
  },
  {
    code: "job-injected",
    severity: "warning",
    title: "A Job that will not end",
    why:
      "A Job is done when all its containers are, and so is a pod that is run once. A proxy that is an ordinary container never ends by itself; as a native sidecar (the default from edge-26.5.2 on) " +
      "Kubernetes ends it (linkerd.io, “Native sidecars”).",
    fix: "Say `linkerd.io/inject: disabled`, or turn on native sidecars, or end the proxy with linkerd-await or a POST to its /shutdown.",
    check: endlessJob,
  },
  {
    code: "ports-skipped",
    severity: "warning",
    title: "Ports that bypass the mesh",
    why: "A skipped port has no mutual TLS, no identity, no policy and no metrics. Protocols that the proxy does not understand are better `opaque`: that keeps all four.",
    fix: "Use `config.linkerd.io/opaque-ports` on the pods and their Service; silence the rule where the other side has no proxy.",
    check: skipped,
  },
];

const isLinkerds = (key: string): boolean => key === injectKey || key.startsWith("config.linkerd.io/");

function* misplaced({ statedWorkloads }: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, template, annotations } of statedWorkloads) {
    if (template.length === 0) continue;
    for (const key of Object.keys(annotationsOf(manifest)).filter(isLinkerds)) {
      if (key in annotations) continue;
      yield {
        manifest,
        path: ["metadata", "annotations", key],
        message: `${key} on the ${manifest.kind} itself does nothing: the injector looks at pods`,
        fix: `move it to ${template.join(".")}.metadata.annotations`,
        mild: key !== injectKey,
      };
    }
  }
}

function* hostNetwork({ workloads }: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, template, annotations, pod } of workloads) {
    if (pod["hostNetwork"] !== true || !["enabled", "ingress"].includes(String(annotations[injectKey]))) continue;
    yield {
      manifest,
      path: [...template, "spec", "hostNetwork"],
      message: "a pod on the host's network is never injected, whatever its annotation says",
      fix: "leave hostNetwork out, or disable the injection",
    };
  }
}

function* unknownValue(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, path, annotations } of annotated(stream)) {
    const value = annotations[injectKey];
    if (value === undefined || ["", "enabled", "ingress", "disabled"].includes(String(value))) continue;
    yield {
      manifest,
      path: [...path, injectKey],
      message: `the injector does not know "${String(value)}": the pods start without a proxy`,
      fix: 'use "enabled"',
    };
  }
}

function* notText({ stated }: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of stated) {
    const workload = workloadOf(manifest);
    const own = { path: ["metadata", "annotations"], annotations: annotationsOf(manifest) };
    const pods = workload === null || workload.template.length === 0 ? [] : [podAnnotations(workload)];
    for (const { path, annotations } of [own, ...pods])
      for (const [key, value] of Object.entries(annotations)) {
        if (typeof value === "string") continue;
        const written = writtenAt(manifest, [...path, key]) ?? String(value);
        const kind = isMap(value) ? "a map" : value === null ? "nothing" : `the ${typeof value} ${written}`;
        yield {
          manifest,
          path: [...path, key],
          message: `${key} is ${kind}, and Kubernetes takes text only`,
          fix: `write "${value === null || isMap(value) ? "…" : written}"`,
          // The API server reads nothing as an empty text.
          mild: value === null,
        };
      }
  }
}

function* endlessJob(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  for (const workload of stream.workloads) {
    if (workloadIsMeshed(workload, stream) !== "yes" || !neverCompletes(workload, stream, release)) continue;
    const { manifest, annotations, template } = workload;
    const where = annotations[injectKey] === undefined ? [] : ["metadata", "annotations", injectKey];
    const open = release === null && asksForNativeSidecar(workload, stream) === null;
    const unless = open ? ", unless Linkerd makes it a native sidecar (edge-26.5.2 and later)" : "";
    yield {
      manifest,
      path: [...template, ...where],
      message: `the ${manifest.kind} gets a proxy that never ends, so it never completes${unless}`,
      fix: "disable the injection, or turn on native sidecars",
    };
  }
}

function* skipped(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, path, annotations } of annotated(stream))
    for (const direction of ["inbound", "outbound"]) {
      const key = direction === "inbound" ? portKeys.skipInbound : portKeys.skipOutbound;
      const ports = annotations[key];
      if (ports === undefined || ports === "") continue;
      yield {
        manifest,
        path: [...path, key],
        message: `${direction} ${String(ports)} bypasses the proxy: no mutual TLS, no identity, no policy`,
        fix: `use ${portKeys.opaque}, on the pods and on their Service`,
      };
    }
}

/** Where the injector reads annotations: pods, and namespaces. */
function annotated({
  objects,
  statedWorkloads,
}: ManifestSet): { manifest: ManifestFinding["manifest"]; path: string[]; annotations: Labels }[] {
  const namespaces = objects.filter(({ kind, apiVersion }) => kind === "Namespace" && apiVersion === "v1");
  return [
    ...namespaces.map((manifest) => ({ manifest, path: ["metadata", "annotations"], annotations: annotationsOf(manifest) })),
    ...statedWorkloads.map(podAnnotations),
  ];
}

function podAnnotations({ manifest, template, annotations }: Workload): {
  manifest: ManifestFinding["manifest"];
  path: string[];
  annotations: Labels;
} {
  return { manifest, path: [...template.map(String), "metadata", "annotations"], annotations };
}
