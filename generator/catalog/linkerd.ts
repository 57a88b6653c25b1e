/**
 * Facts about Linkerd's releases. To add a release, add it to `linkerdReleases` (newest first) and to the examples of
 * `linkerd.version` in schema/environment.schema.json, and run the tests. The tests compare the entry with the values
 * and rendered objects of the charts.
 *
 * Source: linkerd2 at the tag of the version (charts, values.yaml, rendered objects).
 */
export type KnownLinkerdVersion = "stable-2.14.10" | "edge-25.4.4" | "edge-25.10.7" | "edge-26.8.3";

/** A version of the catalog, or a later edge release. The schema of specs allows no other versions. */
export type LinkerdVersion = string;

export type LinkerdChart = "linkerd-crds" | "linkerd-control-plane" | "linkerd-viz" | "linkerd-jaeger";

/** A release of Linkerd: its charts, the image tags that differ between releases, and its behaviour. */
export interface LinkerdRelease {
  readonly version: LinkerdVersion;
  readonly channel: "stable" | "edge";
  /** Oldest Kubernetes version that the charts accept, `major.minor` (Chart.yaml: kubeVersion). */
  readonly minKubernetes: string;
  /**
   * Newest Kubernetes version that the documentation lists for the release (linkerd.io, reference/k8s-versions).
   * Linkerd does not enforce this maximum.
   */
  readonly maxKubernetes: string;
  /**
   * Chart versions. `linkerd-jaeger` is missing if the release has no such chart (linkerd2#14558 removed the chart).
   */
  readonly charts: Readonly<Record<Exclude<LinkerdChart, "linkerd-jaeger">, string>> & { readonly "linkerd-jaeger"?: string };
  /**
   * Linkerd's own CRDs (linkerd-crds, rendered). On an upgrade, Helm deletes a CRD that the new chart does not contain.
   */
  readonly crds: readonly string[];
  readonly images: {
    /** Tag of proxy-init. Null if the release uses the proxy image instead of a separate proxy-init image. */
    readonly proxyInit: string | null;
    /** Whether the policy controller has its own image. */
    readonly policyController: boolean;
    /** Tag of the image with which the extensions' Jobs label their namespaces. */
    readonly extensionInit: string;
    readonly prometheus: string;
    /** Image of the trace collector in the chart linkerd-jaeger. */
    readonly collector: { readonly name: string; readonly tag: string } | null;
  };
  readonly traits: {
    /**
     * Whether meshed clients connect to the proxy's port 4143 for every destination port
     * (`proxy.outboundTransportMode`).
     */
    readonly transportHeader: boolean;
    /** Whether, by default, proxies run as native sidecars, so that Jobs with a proxy complete. */
    readonly nativeSidecar: boolean;
    /** How tracing is configured: by the chart linkerd-jaeger, or by the value `proxy.tracing` of the control plane. */
    readonly tracing: "jaeger-chart" | "built-in";
    /**
     * Whether traces of the control plane reach the trace collector. From edge-25.4.3 on, the charts send OpenCensus
     * traces to the OTLP port (templates/_trace.tpl).
     */
    readonly controlPlaneTracing: boolean;
    /**
     * Domain from which the chart builds the identity of the trace collector. Before edge-26.7.1, `proxy.tracing` uses
     * the wrong domain (linkerd2#15404).
     */
    readonly collectorIdentity: "clusterDomain" | "trustDomain";
    /**
     * The value of the chart linkerd-crds that installs the Gateway API CRDs, and whether this value is true by
     * default.
     */
    readonly gatewayApi: { readonly value: "enableHttpRoutes" | "installGatewayAPI"; readonly default: boolean };
    /** Whether the extensions' Job that labels the namespace can be disabled (`createNamespaceMetadataJob`). */
    readonly extensionJob: "optional" | "always";
    /** Whether the control-plane chart has the value `disableIPv6`. */
    readonly ipv6: boolean;
    /** Whether the control plane supports GRPCRoutes of the Gateway API (2.16 and later). */
    readonly grpcRoute: boolean;
    /** Newest served API version of each policy kind (linkerd-crds, rendered). */
    readonly policyApi: {
      readonly server: "v1beta1" | "v1beta3";
      readonly authorizationPolicy: "v1alpha1";
      readonly httpRoute: "v1beta3";
    };
  };
}

const policyApi = { authorizationPolicy: "v1alpha1", httpRoute: "v1beta3" } as const;

const policyCrds = [
  "authorizationpolicies.policy.linkerd.io",
  "httproutes.policy.linkerd.io",
  "meshtlsauthentications.policy.linkerd.io",
  "networkauthentications.policy.linkerd.io",
  "serverauthorizations.policy.linkerd.io",
  "servers.policy.linkerd.io",
  "serviceprofiles.linkerd.io",
] as const;
const laterCrds = [
  "egressnetworks.policy.linkerd.io",
  "externalworkloads.workload.linkerd.io",
  "httplocalratelimitpolicies.policy.linkerd.io",
] as const;

/** All releases in the catalog, newest first. The tests compare them with their charts. */
export const linkerdReleases: readonly (LinkerdRelease & { readonly version: KnownLinkerdVersion })[] = [
  {
    version: "edge-26.8.3",
    channel: "edge",
    minKubernetes: "1.31",
    maxKubernetes: "1.35",
    charts: { "linkerd-crds": "2026.8.3", "linkerd-control-plane": "2026.8.3", "linkerd-viz": "2026.8.3" },
    crds: [...policyCrds, ...laterCrds],
    images: { proxyInit: null, policyController: false, extensionInit: "v0.1.12", prometheus: "v2.55.1", collector: null },
    traits: {
      transportHeader: true,
      nativeSidecar: true,
      tracing: "built-in",
      controlPlaneTracing: false,
      collectorIdentity: "trustDomain",
      gatewayApi: { value: "installGatewayAPI", default: false },
      extensionJob: "optional",
      ipv6: true,
      grpcRoute: true,
      policyApi: { server: "v1beta3", ...policyApi },
    },
  },
  {
    version: "edge-25.10.7",
    channel: "edge",
    minKubernetes: "1.23",
    maxKubernetes: "1.35",
    charts: { "linkerd-crds": "2025.10.7", "linkerd-control-plane": "2025.10.7", "linkerd-viz": "2025.10.7" },
    crds: [...policyCrds, ...laterCrds],
    images: { proxyInit: "v2.4.3", policyController: false, extensionInit: "v0.1.7", prometheus: "v2.55.1", collector: null },
    traits: {
      transportHeader: true,
      nativeSidecar: false,
      tracing: "built-in",
      controlPlaneTracing: false,
      collectorIdentity: "clusterDomain",
      gatewayApi: { value: "installGatewayAPI", default: false },
      extensionJob: "optional",
      ipv6: true,
      grpcRoute: true,
      policyApi: { server: "v1beta3", ...policyApi },
    },
  },
  {
    version: "edge-25.4.4",
    channel: "edge",
    minKubernetes: "1.23",
    maxKubernetes: "1.32",
    charts: {
      "linkerd-crds": "2025.4.4",
      "linkerd-control-plane": "2025.4.4",
      "linkerd-viz": "2025.4.4",
      "linkerd-jaeger": "2025.4.4",
    },
    crds: [...policyCrds, ...laterCrds],
    images: {
      proxyInit: "v2.4.2",
      policyController: true,
      extensionInit: "v0.1.4",
      prometheus: "v2.55.1",
      collector: { name: "docker.io/otel/opentelemetry-collector-contrib", tag: "0.83.0" },
    },
    traits: {
      transportHeader: true,
      nativeSidecar: false,
      tracing: "jaeger-chart",
      controlPlaneTracing: false,
      collectorIdentity: "trustDomain",
      gatewayApi: { value: "installGatewayAPI", default: true },
      extensionJob: "optional",
      ipv6: true,
      grpcRoute: true,
      policyApi: { server: "v1beta3", ...policyApi },
    },
  },
  {
    version: "stable-2.14.10",
    channel: "stable",
    minKubernetes: "1.21",
    maxKubernetes: "1.28",
    charts: {
      "linkerd-crds": "1.8.0",
      "linkerd-control-plane": "1.16.11",
      "linkerd-viz": "30.12.11",
      "linkerd-jaeger": "30.12.11",
    },
    crds: [...policyCrds],
    images: {
      proxyInit: "v2.2.3",
      policyController: true,
      extensionInit: "v0.1.0",
      prometheus: "v2.48.0",
      collector: { name: "docker.io/otel/opentelemetry-collector", tag: "0.59.0" },
    },
    traits: {
      transportHeader: false,
      nativeSidecar: false,
      tracing: "jaeger-chart",
      controlPlaneTracing: true,
      collectorIdentity: "trustDomain",
      gatewayApi: { value: "enableHttpRoutes", default: true },
      extensionJob: "always",
      ipv6: false,
      grpcRoute: false,
      policyApi: { server: "v1beta1", ...policyApi },
    },
  },
];

/** Ports of every proxy (control-plane chart, `proxy.ports`; the same in all releases). */
export const proxyPorts = { inbound: 4143, control: 4190, admin: 4191 } as const;

/**
 * Ports that proxies treat as opaque if no annotation specifies opaque ports (linkerd-control-plane,
 * `proxy.opaquePorts`; the same in all releases).
 */
export const defaultOpaquePorts = "25,587,3306,4444,5432,6379,9300,11211";

/** Kubernetes version (`major.minor`) of bundles whose spec does not set a Kubernetes version. */
export const defaultKubernetes = "1.34";

/**
 * Returns the newest release of the catalog that is not newer than a version. Returns null if the version is older than
 * all releases of the catalog, or if its channel is neither stable nor edge.
 */
export function nearestRelease(version: string): LinkerdRelease | null {
  const wanted = ordinal(version);
  return wanted === null
    ? null
    : (linkerdReleases.find((release) => (ordinal(release.version) ?? Number.POSITIVE_INFINITY) <= wanted) ?? null);
}

/** Returns a number by which versions are sorted. A stable version is lower than every edge version. */
function ordinal(version: string): number | null {
  const [, channel, ...parts] = /^(stable|edge)-([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(version) ?? [];
  if (channel === undefined) return null;
  const [major = 0, minor = 0, patch = 0] = parts.map(Number);
  return (channel === "edge" ? 1e9 : 0) + major * 1e6 + minor * 1e3 + patch;
}

/**
 * Returns the release with the given version. For an edge release that the catalog does not contain, returns the nearest
 * older edge release with the charts and images of the version.
 *
 * @throws Error if the version is older than the first edge release of the catalog, or an unknown stable release
 */
export function linkerdRelease(version: LinkerdVersion): LinkerdRelease {
  return linkerdReleases.find((candidate) => candidate.version === version) ?? untestedRelease(version, linkerdReleases);
}

/** Whether the catalog contains the release, so that its entry has been compared with its charts. */
export function isKnownRelease(version: LinkerdVersion): boolean {
  return linkerdReleases.some((release) => release.version === version);
}

/** Derives a release from the nearest older edge release. @throws Error if there is none */
export function untestedRelease(version: LinkerdVersion, known: readonly LinkerdRelease[]): LinkerdRelease {
  const wanted = version.startsWith("edge-") ? ordinal(version) : null;
  const nearest = known
    .filter(({ channel }) => channel === "edge")
    .find((release) => wanted !== null && (ordinal(release.version) ?? Number.POSITIVE_INFINITY) <= wanted);
  if (nearest === undefined) throw new Error(`the catalog has no Linkerd release ${version}`);
  // The charts of an edge release have its version with the whole year (linkerd2, bin/helm-build).
  const chart = version.replace(/^edge-/, "20");
  const charts = Object.fromEntries(Object.keys(nearest.charts).map((name) => [name, chart])) as LinkerdRelease["charts"];
  return { ...nearest, version, charts };
}

/** Images of a release whose tags do not contain its version, such as `proxy-init v2.4.3`. */
export function separateImages({ images: { proxyInit, extensionInit, prometheus, collector } }: LinkerdRelease): string[] {
  return [
    ...(proxyInit === null ? [] : [`proxy-init ${proxyInit}`]),
    `extension-init ${extensionInit}`,
    `prometheus ${prometheus}`,
    ...(collector === null ? [] : [`${collector.name} ${collector.tag}`]),
  ];
}
