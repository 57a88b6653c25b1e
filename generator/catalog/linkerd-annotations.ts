import { isOlder, type KnownLinkerdVersion, type LinkerdRelease, nearestRelease } from "./linkerd.ts";

/**
 * Objects whose annotations Linkerd reads. `pod` is a pod or a pod template. `route` is an HTTPRoute or a GRPCRoute.
 */
export type AnnotationPlace = "namespace" | "pod" | "service" | "egress-network" | "route";

/**
 * Format of the value of an annotation:
 * - `switch`: `enabled` or `disabled`
 * - `boolean`: a value that Go's strconv.ParseBool accepts
 * - `go-duration`: a duration for Go's time.ParseDuration, such as `1m30s`
 * - `duration`: a number with one of the units ms, s, m, h and d
 * - `quantity`: a Kubernetes quantity, such as `100m` or `64Mi`
 * - `ports`: numbers and ranges, separated by commas; `named-ports`: also accepts names of container ports
 * - an array: one of the values; `list`: one or more of the values, separated by commas
 */
export type AnnotationFormat =
  | "switch"
  | "boolean"
  | "go-duration"
  | "duration"
  | "quantity"
  | "integer"
  | "number"
  | "port"
  | "ports"
  | "named-ports"
  | "http-status-list"
  | "text"
  | readonly string[]
  | { readonly list: readonly string[] };

/** An annotation that Linkerd reads. */
export interface LinkerdAnnotation {
  readonly on: readonly AnnotationPlace[];
  readonly format: AnnotationFormat;
  /**
   * First release of the catalog that reads the annotation. If omitted, the oldest release also reads the annotation.
   */
  readonly since?: KnownLinkerdVersion;
  /**
   * Last release of the catalog that reads the annotation. If omitted, the newest release also reads the annotation.
   */
  readonly until?: KnownLinkerdVersion;
}

const podSettings = ["namespace", "pod"] as const;
const outbound = ["service", "egress-network", "route"] as const;
const balanced = ["service", "egress-network"] as const;

const setting = (format: AnnotationFormat, since?: KnownLinkerdVersion): LinkerdAnnotation => ({
  on: podSettings,
  format,
  ...(since === undefined ? {} : { since }),
});
const alphaBalancer = (format: AnnotationFormat): LinkerdAnnotation => ({ on: balanced, format, since: "edge-26.8.3" });
const removed = (format: AnnotationFormat): LinkerdAnnotation => ({ on: podSettings, format, until: "edge-25.10.7" });
/** Annotation that the injector of linkerd-jaeger reads. edge-25.10.1 removed this injector. */
const tracing = (since?: KnownLinkerdVersion): LinkerdAnnotation => ({ ...setting("text", since), until: "edge-25.4.4" });

/** Values of `config.linkerd.io/default-inbound-policy` (linkerd2, policy-controller/k8s/index/src/defaults.rs). */
const inboundPolicies = [
  "all-unauthenticated",
  "all-authenticated",
  "cluster-unauthenticated",
  "cluster-authenticated",
  "deny",
  "audit",
] as const;

/**
 * All annotations that users can set and that Linkerd reads. Sources: linkerd2 pkg/k8s/labels.go, pkg/inject/inject.go,
 * viz/pkg/labels/labels.go, jaeger/injector/mutator/webhook.go, and policy-controller/k8s/index/src/outbound (index.rs,
 * index/http.rs, index/grpc.rs) in the four releases of the catalog.
 */
export const linkerdAnnotations: Readonly<Record<string, LinkerdAnnotation>> = {
  "linkerd.io/inject": setting(["enabled", "ingress", "disabled"]),
  "config.linkerd.io/access-log": setting(["apache", "json"]),
  "config.linkerd.io/admin-port": setting("port"),
  "config.linkerd.io/close-wait-timeout": setting("go-duration"),
  "config.linkerd.io/control-port": setting("port"),
  "config.linkerd.io/debug-image": setting("text"),
  "config.linkerd.io/debug-image-pull-policy": setting(["Always", "IfNotPresent", "Never"]),
  "config.linkerd.io/debug-image-version": setting("text"),
  "config.linkerd.io/default-inbound-policy": setting(inboundPolicies),
  "config.linkerd.io/enable-debug-sidecar": setting("boolean"),
  "config.linkerd.io/enable-external-profiles": setting("boolean"),
  "config.linkerd.io/enable-gateway": setting("boolean"),
  "config.linkerd.io/image-pull-policy": setting(["Always", "IfNotPresent", "Never"]),
  "config.linkerd.io/inbound-port": setting("port"),
  "config.linkerd.io/init-image": removed("text"),
  "config.linkerd.io/init-image-version": removed("text"),
  "config.linkerd.io/opaque-ports": { on: [...podSettings, "service", "egress-network"], format: "named-ports" },
  "config.linkerd.io/outbound-port": setting("port"),
  "config.linkerd.io/pod-inbound-ports": setting("ports"),
  "config.linkerd.io/proxy-additional-env": setting("text", "edge-26.8.3"),
  "config.linkerd.io/proxy-admin-shutdown": setting("switch", "edge-25.4.4"),
  "config.linkerd.io/proxy-await": setting("switch"),
  "config.linkerd.io/proxy-cpu-limit": setting("quantity"),
  "config.linkerd.io/proxy-cpu-ratio-limit": setting("number", "edge-25.4.4"),
  "config.linkerd.io/proxy-cpu-request": setting("quantity"),
  "config.linkerd.io/proxy-disable-inbound-protocol-detect-timeout": setting("boolean"),
  "config.linkerd.io/proxy-disable-outbound-protocol-detect-timeout": setting("boolean"),
  "config.linkerd.io/proxy-enable-native-sidecar": setting("boolean", "edge-26.8.3"),
  "config.beta.linkerd.io/proxy-enable-native-sidecar": setting("boolean", "edge-25.10.7"),
  "config.alpha.linkerd.io/proxy-enable-native-sidecar": setting("boolean", "edge-25.4.4"),
  "config.alpha.linkerd.io/proxy-wait-before-exit-seconds": setting("integer"),
  "config.linkerd.io/proxy-ephemeral-storage-limit": setting("quantity"),
  "config.linkerd.io/proxy-ephemeral-storage-request": setting("quantity"),
  "config.linkerd.io/proxy-gid": setting("integer", "edge-25.4.4"),
  "config.linkerd.io/proxy-image": setting("text"),
  "config.linkerd.io/proxy-inbound-connect-timeout": setting("go-duration"),
  "config.linkerd.io/proxy-inbound-discovery-cache-unused-timeout": setting("go-duration"),
  "config.linkerd.io/proxy-log-format": setting(["plain", "json"]),
  "config.linkerd.io/proxy-log-http-headers": setting(["off", "insecure"], "edge-25.4.4"),
  "config.linkerd.io/proxy-log-level": setting("text"),
  "config.linkerd.io/proxy-memory-limit": setting("quantity"),
  "config.linkerd.io/proxy-memory-request": setting("quantity"),
  "config.linkerd.io/proxy-metrics-hostname-labels": setting("boolean", "edge-25.4.4"),
  "config.linkerd.io/proxy-outbound-connect-timeout": setting("go-duration"),
  "config.linkerd.io/proxy-outbound-discovery-cache-unused-timeout": setting("go-duration"),
  "config.linkerd.io/proxy-require-identity-inbound-ports": setting("ports"),
  "config.linkerd.io/proxy-uid": setting("integer"),
  "config.linkerd.io/proxy-version": setting("text"),
  "config.linkerd.io/shutdown-grace-period": setting("go-duration"),
  "config.linkerd.io/skip-inbound-ports": setting("ports"),
  "config.linkerd.io/skip-outbound-ports": setting("ports"),
  "config.linkerd.io/skip-subnets": setting("text"),
  "config.alpha.linkerd.io/trace-collector-service-account": tracing(),
  "config.linkerd.io/trace-collector": tracing(),
  "config.linkerd.io/trace-collector-name": tracing("edge-25.4.4"),
  "config.linkerd.io/trace-collector-protocol": tracing("edge-25.4.4"),
  "viz.linkerd.io/disable-tap": setting("boolean"),
  "viz.linkerd.io/tap-enabled": setting("boolean"),
  "viz.linkerd.io/external-prometheus": { on: ["namespace"], format: "text" },
  "balancer.linkerd.io/failure-accrual": { on: balanced, format: ["consecutive", "unified"] },
  "balancer.linkerd.io/failure-accrual-consecutive-max-failures": { on: balanced, format: "integer" },
  "balancer.linkerd.io/failure-accrual-consecutive-max-penalty": { on: balanced, format: "duration" },
  "balancer.linkerd.io/failure-accrual-consecutive-min-penalty": { on: balanced, format: "duration" },
  "balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio": { on: balanced, format: "number" },
  "balancer.alpha.linkerd.io/failure-accrual-honor-retry-after": alphaBalancer("boolean"),
  "balancer.alpha.linkerd.io/failure-accrual-success-rate-min-requests": alphaBalancer("integer"),
  "balancer.alpha.linkerd.io/failure-accrual-success-rate-threshold": alphaBalancer("number"),
  "balancer.alpha.linkerd.io/failure-accrual-success-rate-window": alphaBalancer("duration"),
  "balancer.alpha.linkerd.io/load-biaser-max-retry-after": alphaBalancer("duration"),
  "balancer.alpha.linkerd.io/load-biaser-penalty": alphaBalancer("duration"),
  "balancer.alpha.linkerd.io/penalize-failures": alphaBalancer("boolean"),
  "retry.linkerd.io/http": { on: outbound, format: "http-status-list", since: "edge-25.4.4" },
  "retry.linkerd.io/grpc": {
    on: outbound,
    format: { list: ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"] },
    since: "edge-25.4.4",
  },
  "retry.linkerd.io/limit": { on: outbound, format: "integer", since: "edge-25.4.4" },
  "retry.linkerd.io/timeout": { on: outbound, format: "duration", since: "edge-25.4.4" },
  "timeout.linkerd.io/idle": { on: outbound, format: "duration", since: "edge-25.4.4" },
  "timeout.linkerd.io/request": { on: outbound, format: "duration", since: "edge-25.4.4" },
  "timeout.linkerd.io/response": { on: outbound, format: "duration", since: "edge-25.4.4" },
};

/**
 * Annotation that enables the proxy's endpoint /shutdown. In all releases that read this annotation, the endpoint is
 * disabled by default.
 */
export const shutdownKey = "config.linkerd.io/proxy-admin-shutdown";

/**
 * Returns `yes` if a release reads a known annotation. Otherwise, returns whether the release is too old or too new.
 */
export function readBy({ since, until }: LinkerdAnnotation, release: LinkerdRelease): "yes" | "too-old" | "too-new" {
  const own = nearestRelease(release.version)?.version ?? release.version;
  if (since !== undefined && isOlder(own, since)) return "too-old";
  return until !== undefined && isOlder(until, own) ? "too-new" : "yes";
}

/** Annotations that Linkerd or its charts write. These annotations have no effect if a user sets them. */
export const writtenAnnotations: ReadonlySet<string> = new Set([
  "linkerd.io/created-by",
  "linkerd.io/proxy-version",
  "linkerd.io/trust-root-sha256",
  "linkerd.io/identity-issuer-expiry",
  "linkerd.io/identity-mode",
]);

/** Prefixes of the keys that Linkerd reserves for its annotations. */
export const annotationPrefixes: ReadonlySet<string> = new Set(
  Object.keys(linkerdAnnotations).map((key) => key.slice(0, key.indexOf("/"))),
);
