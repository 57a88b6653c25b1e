import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import { linkerdAnnotations, shutdownKey } from "../../catalog/linkerd-annotations.ts";
import { admissionWebhooksLabel, injectKey, portKeys, proxyPrefix, uninjectedNamespaces } from "../../catalog/well-known.ts";
import { annotationsOf, type ManifestSet } from "../../kubernetes/manifest-set.ts";
import { sourceTextAt } from "../../kubernetes/read.ts";
import { type Labels, type Workload, workloadOf } from "../../kubernetes/workload.ts";
import { rejectedValue } from "../../mesh/annotation-values.ts";
import {
  effectiveInject,
  hasProxy,
  type InjectionObstacle,
  injectionFacts,
  injectionObstacle,
  requestsProxy,
  workloadIsMeshed,
} from "../../mesh/meshed.ts";
import { callsShutdown, neverCompletes, requestsNativeSidecar } from "../../mesh/sidecar-lifetime.ts";
import { isMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about whether pods get a proxy as intended. */
export const injectionRules: readonly ManifestRule[] = [
  {
    code: "inject-misplaced",
    severity: "error",
    title: "A pod annotation is on the workload instead of the pod template",
    why:
      "The injector reads the annotations of pods and namespaces, not the annotations of workloads such as a Deployment (linkerd2, pkg/inject/report.go). An annotation in " +
      "`metadata` of the Deployment itself has no effect, and Linkerd reports no error.",
    fix: "Move the annotation to `spec.template.metadata.annotations`, or to the namespace.",
    check: misplaced,
  },
  {
    code: "inject-host-network",
    severity: "error",
    title: "Injection is requested for a pod on the host network",
    why: "The injector skips pods with `hostNetwork: true` (linkerd2, pkg/inject/report.go). A pod with `hostNetwork: true` shares the network of the node. If Linkerd redirected the traffic of the pod to a proxy, Linkerd would also redirect all other traffic of the node.",
    fix: "Remove `hostNetwork`, or set `linkerd.io/inject: disabled` to show that the pod has no proxy.",
    check: hostNetwork,
  },
  {
    code: "inject-ignored",
    severity: "error",
    title: "Injection is requested for pods that the injector ignores",
    why:
      "The injector does not inject pods that already have a sidecar of Istio (linkerd2, pkg/healthcheck/sidecar.go). The API server does not call the injector's webhook for namespaces with the label " +
      "`config.linkerd.io/admission-webhooks: disabled`. By default, the API server also does not call the webhook for the namespaces `kube-system` and `cert-manager` (`proxyInjector.namespaceSelector` in the chart). In all these cases, the pods start without a proxy, and Linkerd reports no error.",
    fix: "Remove the cause that the finding shows (the sidecar, the label, or the excluded namespace), or set `linkerd.io/inject: disabled` to show that the pods have no proxy.",
    check: ignored,
  },
  {
    code: "inject-value",
    severity: "error",
    title: "linkerd.io/inject has an unknown value",
    why: "The injector supports the values `enabled`, `ingress` and `disabled`. With any other value, such as `true`, the pod starts without a proxy. If the annotation of a namespace has an unsupported value, all pods of the namespace start without a proxy. This includes pods with `linkerd.io/inject: enabled` (linkerd2, pkg/inject/report.go).",
    fix: "Set the annotation to `enabled`.",
    check: unknownValue,
  },
  {
    code: "annotation-not-text",
    severity: "error",
    title: "The value of an annotation is not a string",
    why: "If the value of an annotation is not a string, Kubernetes rejects the whole object. In YAML, a single port number or a boolean is a string only if it is in quotes.",
    fix: "Put quotes around the value.",
    check: notText,
  },
  {
    code: "job-injected",
    severity: "warning",
    title: "An injected Job never completes",
    why:
      "A Job, or a pod that runs once, completes only when all its containers have exited. A proxy that runs as an ordinary container does not exit when the other containers exit. If the proxy is a native sidecar " +
      "(the default from edge-26.5.2 on), Kubernetes stops the proxy when the other containers have exited (linkerd.io, “Native sidecars”).",
    fix: "Do one of the following. Set `linkerd.io/inject: disabled`. Enable native sidecars. Let the Job stop its proxy: in the Job, use linkerd-await, or send a POST request to the endpoint /shutdown of the proxy. From Linkerd 2.15 on, you must also set `config.linkerd.io/proxy-admin-shutdown: enabled`.",
    check: endlessJob,
  },
  {
    code: "ports-skipped",
    severity: "warning",
    title: "Traffic on skipped ports bypasses the mesh",
    why: "Traffic on a skipped port has no mutual TLS, no identity, no policy and no metrics. If the proxy cannot parse the protocol, you do not need to skip the port. Use an opaque port instead: traffic on an opaque port has mutual TLS, identity, policy and metrics.",
    fix: "Use `config.linkerd.io/opaque-ports` on the pods and their Service. If you must skip the port because the other side of the connection has no proxy, silence the rule.",
    check: skipped,
  },
];

const isLinkerdKey = (key: string): boolean => key === injectKey || key.startsWith(proxyPrefix);

function* misplaced({ statedWorkloads }: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, template, annotations } of statedWorkloads) {
    if (template.length === 0) continue;
    for (const key of Object.keys(annotationsOf(manifest)).filter(isLinkerdKey)) {
      if (key in annotations) continue;
      yield {
        manifest,
        path: ["metadata", "annotations", key],
        message: `${key} on the ${manifest.kind} itself has no effect. The injector reads only the annotations of pods and namespaces`,
        fix: `move the annotation to ${template.join(".")}.metadata.annotations`,
        severityOverride: key !== injectKey,
      };
    }
  }
}

function* hostNetwork({ workloads }: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, template, annotations, pod } of workloads) {
    if (pod["hostNetwork"] !== true || !requestsProxy(annotations[injectKey])) continue;
    yield {
      manifest,
      path: [...template, "spec", "hostNetwork"],
      message: "the pods get no proxy, because the injector ignores pods on the host network (hostNetwork: true)",
      fix: `remove hostNetwork, or set ${injectKey}: disabled`,
    };
  }
}

function* ignored(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const workload of stream.workloads) {
    const facts = injectionFacts(workload, stream);
    const obstacle = injectionObstacle(facts);
    const own = workload.annotations[injectKey];
    if (obstacle === null || obstacle === "host-network" || !requestsProxy(effectiveInject(facts)) || hasProxy(workload))
      continue;
    const { manifest, template } = workload;
    yield {
      manifest,
      path: own === undefined || own === "" ? [...template, "spec"] : [...template, "metadata", "annotations", injectKey],
      part: "key",
      message: `the pods get no proxy, because ${because[obstacle]}`,
      fix: `${fixOf[obstacle]}, or set ${injectKey}: disabled`,
      // The chart's values can change the list of excluded namespaces, so the finding is only a warning.
      severityOverride: obstacle === "namespace-excluded",
    };
  }
}

type Obstacle = Exclude<InjectionObstacle, "host-network">;

const because: Readonly<Record<Obstacle, string>> = {
  "other-sidecar": "they already have a sidecar of Istio",
  "webhooks-disabled": `their namespace has the label ${admissionWebhooksLabel}: disabled`,
  "namespace-excluded": `the injector ignores the namespaces ${uninjectedNamespaces.join(" and ")} by default`,
};

const fixOf: Readonly<Record<Obstacle, string>> = {
  "other-sidecar": "remove the sidecar of Istio",
  "webhooks-disabled": `remove the label ${admissionWebhooksLabel}`,
  "namespace-excluded": "change proxyInjector.namespaceSelector in the values of linkerd-control-plane",
};

function* unknownValue(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const { manifest, path, annotations } of annotated(stream)) {
    const value = annotations[injectKey];
    if (value === undefined || rejectedValue(linkerdAnnotations[injectKey]?.format ?? "text", String(value)) === null) continue;
    yield {
      manifest,
      path: [...path, injectKey],
      message: `"${String(value)}" is not a supported value of ${injectKey}, so the pods start without a proxy`,
      fix: 'set the annotation to "enabled"',
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
        const written = sourceTextAt(manifest, [...path, key]) ?? String(value);
        const kind = isMap(value) ? "a map" : value === null ? "empty" : `the ${typeof value} ${written}`;
        yield {
          manifest,
          path: [...path, key],
          message: `the value of ${key} is ${kind}, but annotation values must be strings`,
          fix: `write "${value === null || isMap(value) ? "…" : written}"`,
          // The API server accepts null and treats null as an empty string, so the finding is only a warning.
          severityOverride: value === null,
        };
      }
  }
}

function* endlessJob(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  for (const workload of stream.workloads) {
    if (workloadIsMeshed(workload, stream) !== "yes" || !neverCompletes(workload, stream, release)) continue;
    const { manifest, annotations, template } = workload;
    const where = annotations[injectKey] === undefined ? [] : ["metadata", "annotations", injectKey];
    const open = release === null && requestsNativeSidecar(workload, stream) === null;
    const unless = open ? ". This does not apply if the proxy is a native sidecar (the default from edge-26.5.2 on)" : "";
    yield {
      manifest,
      path: [...template, ...where],
      message: callsShutdown(workload)
        ? `the ${manifest.kind} never completes. It calls the proxy's endpoint /shutdown, but this endpoint is disabled`
        : `the ${manifest.kind} never completes, because its proxy never exits${unless}`,
      fix: `set ${callsShutdown(workload) ? `${shutdownKey}: enabled on the pods` : `${injectKey}: disabled`}${release?.channel === "stable" ? "" : ", or enable native sidecars"}`,
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
        message: `${direction} traffic on these ports bypasses the proxy, and has no mutual TLS, no identity and no policy: ${String(ports)}`,
        fix:
          direction === "inbound"
            ? `use ${portKeys.opaque} instead, and set this annotation on the pods and on their Service`
            : `use ${portKeys.opaque} instead. For servers in the cluster, set this annotation on the pods of the server and on their Service. For hosts outside of the cluster, set this annotation on the namespace of the pods that connect to these hosts`,
      };
    }
}

/** Returns the annotations that the injector reads: the annotations of namespaces and of pods or pod templates. */
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
