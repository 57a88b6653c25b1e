/** Version of a Linkerd release in the catalog, or of a later edge release. The schema rejects all other versions. */
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
   * Chart versions. `linkerd-jaeger` is missing if the release does not have this chart (linkerd2#14558 removed the
   * chart).
   */
  readonly charts: Readonly<Record<Exclude<LinkerdChart, "linkerd-jaeger">, string>> & { readonly "linkerd-jaeger"?: string };
  /**
   * Names of Linkerd's own CRDs in the rendered chart linkerd-crds. On an upgrade, Helm deletes a CRD that the new
   * chart does not contain.
   */
  readonly crds: readonly string[];
  readonly images: {
    /** Tag of proxy-init. Null if the release uses the proxy image instead of a separate proxy-init image. */
    readonly proxyInit: string | null;
    /** Whether the policy controller has its own image. */
    readonly policyController: boolean;
    /** Tag of the image of the Jobs that label the namespaces of Linkerd's extensions. */
    readonly extensionInit: string;
    readonly prometheus: string;
    /** Image of the trace collector in the chart linkerd-jaeger; null if the release does not have this chart. */
    readonly collector: { readonly name: string; readonly tag: string } | null;
  };
  readonly traits: {
    /**
     * Whether meshed clients always connect to port 4143 of the server's proxy, for every port of the server
     * (`proxy.outboundTransportMode`).
     */
    readonly transportHeader: boolean;
    /** Whether proxies run as native sidecars by default. With a native sidecar, a Job with a proxy completes. */
    readonly nativeSidecar: boolean;
    /** How tracing is configured: by the chart linkerd-jaeger, or by the value `proxy.tracing` of the control plane. */
    readonly tracing: "jaeger-chart" | "built-in";
    /**
     * Whether the collector receives traces of the control plane itself. From edge-25.4.3 on, no trace arrives, because
     * the charts send OpenCensus traces to the OTLP port (templates/_trace.tpl).
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
    /**
     * Whether the Jobs that label the namespaces of Linkerd's extensions can be disabled
     * (`createNamespaceMetadataJob`).
     */
    readonly extensionJob: "optional" | "always";
    /** Whether the control-plane chart has the value `disableIPv6`. */
    readonly ipv6: boolean;
    /** Whether the control plane supports GRPCRoutes of the Gateway API (Linkerd 2.16 and later). */
    readonly grpcRoute: boolean;
    /** Newest API version that the release serves for each policy kind (rendered chart linkerd-crds). */
    readonly policyApi: {
      readonly server: "v1beta1" | "v1beta3";
      readonly authorizationPolicy: "v1alpha1";
      readonly httpRoute: "v1beta3";
    };
  };
}
