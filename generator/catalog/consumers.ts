import { keyReaders } from "./secret-keys.ts";

/** An artefact that meshops writes and that another program reads. */
export interface Consumer {
  /** Stable ID of the row. */
  readonly id: string;
  readonly artefact: string;
  /** Program that reads the artefact. */
  readonly reader: string;
  /** Format that the reader accepts. */
  readonly form: string;
  /**
   * Repository, file and release that contain the evidence for `form`. If no release is specified, the fact applies to
   * all releases of the catalog.
   */
  readonly source: string;
}

/**
 * Releases whose source code contains the facts of `consumers`. A row without a release applies to all these releases.
 */
export const sourceReleases: readonly string[] = [
  "linkerd2 stable-2.14.10, edge-25.4.4, edge-25.10.7, edge-26.8.3",
  "linkerd2-proxy 2.366.0",
  "kustomize-controller 1.9.4, helm-controller 1.6.2, source-controller 1.9.1",
  "sops 3.13.2",
  "helm 3.22.0",
  "helmfile of August 2026",
  "jaeger 2.20.0",
  "charts of Dgraph 0.0.17 to 25.0.0-preview6",
];

/**
 * All artefacts that a program other than meshops reads. docs/consumers.md is generated from this list, and
 * test/conformance/consumers.test.ts checks the bundle against each row. The facts are from November 2026.
 */
export const consumers: readonly Consumer[] = [
  // Secrets
  ...keyReaders.map(({ secret, reader, accepts, writes, source }) => ({
    id: `key/${secret}`,
    artefact: `Secret \`${secret}\`, \`tls.key\``,
    reader,
    form: `one private key in PEM, in one of these formats: ${accepts.join(", ")}; meshops writes ${writes}`,
    source,
  })),
  {
    id: "issuer-secret",
    artefact: "Secret `linkerd-identity-issuer`",
    reader: "container `identity` of linkerd-identity",
    form: "type `kubernetes.io/tls`; `tls.crt` is a CA certificate that one of the trust roots has signed, directly or through other CAs; the reader does not check the name in the certificate",
    source: "linkerd2 controller/cmd/identity/main.go; pkg/identity/service.go, loadCredentials",
  },
  {
    id: "issuer-ca",
    artefact: "Secret `linkerd-identity-issuer`, `ca.crt`",
    reader: "`linkerd check`",
    form: "PEM certificates of the CAs that signed the issuer's certificate; one newline follows each certificate; the keys of the CAs are ECDSA P-256",
    source: "linkerd2 pkg/issuercerts/issuercerts.go; pkg/tls/codec.go",
  },
  {
    id: "webhook-certificate",
    artefact: "Secrets `*-k8s-tls`, `tls.crt`",
    reader: "kube-apiserver",
    form: "a certificate for the DNS name `<service>.<namespace>.svc`, signed by a CA in the `caBundle` of the webhook configuration or APIService",
    source: "linkerd2 pkg/healthcheck/healthcheck.go, CheckCertAndAnchors; rendered webhook configurations",
  },
  {
    id: "sops-age",
    artefact: "Secret `sops-age` of flux-system",
    reader: "kustomize-controller",
    form: "an entry in `data` whose name ends in `.agekey`; the value has one age identity per line",
    source: "kustomize-controller internal/decryptor/decryptor.go, ImportKeys",
  },
  {
    id: "flux-credentials",
    artefact: "Secret `flux-system` of flux-system",
    reader: "source-controller",
    form: "the entries `username` and `password` in `data` for HTTPS, or the entries `identity` and `known_hosts` for SSH",
    source: "fluxcd/pkg git/options.go",
  },
  {
    id: "resource-policy",
    artefact: "annotation `helm.sh/resource-policy: keep` on the Secrets of the component `identity`",
    reader: "Helm 3, Helm 4, helm-controller",
    form: "the value `keep`; before Helm deletes an object that the new manifest does not contain, Helm reads this annotation from the object in the cluster",
    source: "helm pkg/kube/client.go, Update",
  },
  // Values of Linkerd's charts
  {
    id: "trust-anchors",
    artefact: "linkerd-control-plane, `identityTrustAnchorsPEM`",
    reader:
      "the chart, which copies the PEM text to the ConfigMap `linkerd-identity-trust-roots` and to the proxies of the control plane",
    form: "PEM; the annotation `linkerd.io/trust-root-sha256` contains the hash of this PEM text, including white space at the end; an additional newline therefore restarts the control plane",
    source: "linkerd2 charts: identity.yaml, _metadata.tpl, _proxy.tpl",
  },
  {
    id: "webhook-values",
    artefact: "`externalSecret`, `caBundle` of the webhooks",
    reader: "charts linkerd-control-plane, linkerd-viz, linkerd-jaeger",
    form: "`externalSecret` is `true`; `caBundle` is PEM; if `caBundle` is empty, the chart generates its own CA",
    source: "linkerd2 charts: destination-rbac.yaml, proxy-injector-rbac.yaml, tap-rbac.yaml, tap-injector-rbac.yaml",
  },
  {
    id: "control-plane-values",
    artefact: "linkerd-control-plane, all other values",
    reader: "chart",
    form: "a template of the chart uses each key that meshops sets",
    source:
      "linkerd2 charts/linkerd-control-plane/templates in the four linkerd2 releases; the templates also use `heartbeatSchedule`, which no values.yaml contains",
  },
  {
    id: "policy-resources",
    artefact: "linkerd-control-plane, `policyController.resources` (stable-2.14.10, high availability)",
    reader: "the chart, for the container `policy`",
    form: "resource requests and limits; no template uses the key `policyControllerResources`, although values-ha.yaml sets this key",
    source: "linkerd2 templates/destination.yaml (stable-2.14.10)",
  },
  {
    id: "tracing",
    artefact: "linkerd-control-plane, `proxy.tracing` (from edge-25.10.7 on)",
    reader: "chart, injector",
    form: "the keys `enabled`, `collector.endpoint` (as host:port) and `collector.meshIdentity`; before edge-26.7.1, the chart builds the collector's identity from the cluster domain; in edge-25.10.7, traces do not contain pod labels",
    source: "linkerd2 charts/partials/templates/_proxy.tpl (edge-25.10.7, edge-26.8.3); linkerd2#15404, #14684",
  },
  {
    id: "control-plane-tracing",
    artefact: "linkerd-control-plane, `controlPlaneTracing` (stable-2.14.10)",
    reader: "chart, controllers",
    form: "a Boolean; if the value is true, the controllers send OpenCensus traces to port 55678; from edge-25.4.3 on, the chart sets the OTLP port 4317 for these OpenCensus traces, so no trace arrives; meshops therefore sets the value only for stable-2.14.10",
    source: "linkerd2 _trace.tpl, pkg/trace/trace.go (stable-2.14.10, edge-25.4.4)",
  },
  {
    id: "viz-values",
    artefact: "linkerd-viz, values",
    reader: "chart",
    form: "`jaegerUrl` is a host name with a port; `grafana.url` is a host name",
    source: "linkerd2 viz/charts/linkerd-viz/templates; web/srv/server.go",
  },
  {
    id: "crds-values",
    artefact: "linkerd-crds, `enableHttpRoutes` (stable-2.14.10), `installGatewayAPI`",
    reader: "chart",
    form: "a Boolean",
    source: "linkerd2 charts/linkerd-crds/templates",
  },
  {
    id: "jaeger-values",
    artefact: "linkerd-jaeger, values (up to edge-25.4.4)",
    reader: "chart",
    form: "the chart uses `clusterDomain` only for the collector's identity, so meshops sets `clusterDomain` to the trust domain; the chart has no value `podAnnotations`",
    source: "linkerd2 jaeger/charts/linkerd-jaeger/templates/jaeger-injector.yaml",
  },
  // Dgraph, Grafana, Jaeger
  {
    id: "dgraph-values",
    artefact: "dgraph, values",
    reader: "chart, all five versions",
    form: "from version 0.0.18 on, the chart uses `extraAnnotations`; all five chart versions in the catalog insert `extraFlags` into a shell command line",
    source: "dgraph-io/charts alpha/statefulset.yaml, zero/statefulset.yaml, _helpers.tpl",
  },
  {
    id: "dgraph-whitelist",
    artefact: "dgraph, `--security whitelist=…`",
    reader: "Alpha",
    form: "IP address ranges of the callers; if a call arrives through the proxy, Alpha treats the address of its own pod as the caller's address; the list must therefore contain the IP address range of the pods",
    source: "dgraph x/x.go, HasWhitelistedIP; linkerd2-proxy inbound/src/direct.rs",
  },
  {
    id: "dgraph-container",
    artefact: "patch on `lifecycle` of Dgraph's StatefulSets",
    reader: "kustomize (merge by name), kubelet",
    form: "the patched container has the same name as the StatefulSet; the `preStop` hook uses `sleep` from Kubernetes 1.30 on, and `exec` on older versions",
    source: "dgraph-io/charts statefulset.yaml; Kubernetes feature gate PodLifecycleSleepAction",
  },
  {
    id: "grafana-values",
    artefact: "grafana, values",
    reader: "chart 12.11.1",
    form: "`env.GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION` prevents the chart from generating a random password",
    source: "grafana-community/helm-charts templates/_config.tpl, secret.yaml",
  },
  {
    id: "jaeger-config",
    artefact: "ConfigMap of Jaeger v2",
    reader: "jaeger 2.20.0",
    form: "the configuration contains the extensions jaeger_query, jaeger_storage and healthcheckv2; pipelines refer to receivers and exporters by name",
    source: "jaeger cmd/jaeger/internal/extension, all-in-one.yaml",
  },
  // Labels, annotations, ports
  {
    id: "inject",
    artefact: "annotation `linkerd.io/inject`",
    reader: "proxy injector",
    form: "`enabled`, `disabled` or `ingress`",
    source: "linkerd2 pkg/inject/report.go",
  },
  {
    id: "opaque-ports",
    artefact: "annotation `config.linkerd.io/opaque-ports` on pods and Services",
    reader: "injector, destination controller, policy controller",
    form: "port numbers and port ranges, separated by commas; the list replaces Linkerd's default list; if the list contains the name of a port, the policy controller treats the list as empty",
    source: "linkerd2 pkg/util/parsing.go; policy-controller/k8s/index/src/ports.rs",
  },
  {
    id: "skip-ports",
    artefact: "annotations `config.linkerd.io/skip-inbound-ports`, `skip-outbound-ports`",
    reader: "injector, proxy-init",
    form: "port numbers and port ranges, separated by commas",
    source: "linkerd2 pkg/util/parsing.go, ParsePorts",
  },
  {
    id: "proxy-await",
    artefact: "annotation `config.linkerd.io/proxy-await` on the probe pods of `meshops verify`",
    reader: "injector",
    form: "`enabled` or `disabled`",
    source: "linkerd2 pkg/inject/inject.go",
  },
  {
    id: "admission-webhooks",
    artefact: "label `config.linkerd.io/admission-webhooks` of namespaces",
    reader: "kube-apiserver, through the namespaceSelector of the webhooks",
    form: "`disabled`",
    source: "rendered webhook configurations",
  },
  {
    id: "extension-label",
    artefact: "label `linkerd.io/extension` of namespaces",
    reader: "`linkerd check`, heartbeat",
    form: "`viz` or `jaeger`; at most one namespace has each of these values",
    source: "linkerd2 pkg/k8s/api.go, pkg/healthcheck/healthcheck.go",
  },
  {
    id: "pod-security",
    artefact: "label `pod-security.kubernetes.io/enforce`",
    reader: "kube-apiserver",
    form: "`privileged`, `baseline` or `restricted`",
    source: "Kubernetes, Pod Security Standards",
  },
  {
    id: "namespace-selectors",
    artefact: "label `kubernetes.io/metadata.name` and pod label `linkerd.io/control-plane-ns` in NetworkPolicies",
    reader: "the cluster's network policy engine",
    form: "Kubernetes sets the namespace's label, and the injector sets the pod's label to the namespace of the control plane; a NetworkPolicy peer with a namespaceSelector and a podSelector matches only pods that match both selectors",
    source: "Kubernetes, well-known labels and NetworkPolicy; linkerd2 pkg/inject/inject.go, injectPodSpec",
  },
  {
    id: "requested-at",
    artefact: "annotation `reconcile.fluxcd.io/requestedAt`",
    reader: "Flux's controllers",
    form: "any text; a change of the text starts a reconciliation",
    source: "fluxcd/pkg apis/meta/annotations.go",
  },
  {
    id: "container-fields",
    artefact: "pod specs of the test client, of Jaeger and of the probe pods of `meshops verify`",
    reader: "kubelet, Pod Security admission",
    form: "fields of core/v1; each container runs as non-root without capabilities, as the level *restricted* requires",
    source: "Kubernetes, API reference and Pod Security Standards",
  },
  {
    id: "app-protocol",
    artefact: "`appProtocol` of Service ports",
    reader: "policy controller",
    form: "`http`, `kubernetes.io/h2c`, `linkerd.io/tcp` or `linkerd.io/opaque`; any other value makes the port opaque",
    source: "linkerd2 policy-controller/core/src/outbound.rs (edge-25.10.7, edge-26.8.3)",
  },
  {
    id: "route-annotations",
    artefact: "annotations `retry.linkerd.io/grpc`, `timeout.linkerd.io/request` of GRPCRoutes",
    reader: "policy controller",
    form: "the retry annotation lists names of conditions, separated by commas without spaces; the timeout annotation is an integer followed by the unit ms, s, m, h or d",
    source: "linkerd2 policy-controller/k8s/index/src/outbound/index.rs, grpc.rs",
  },
  {
    id: "prune",
    artefact: "annotation `kustomize.toolkit.fluxcd.io/prune`",
    reader: "kustomize-controller",
    form: "the value `disabled`; the reader checks the annotation of the object in the cluster",
    source: "kustomize-controller internal/controller; fluxcd/pkg ssa/manager_delete.go",
  },
  // Policies and profiles
  {
    id: "server",
    artefact: "Server",
    reader: "policy controller",
    form: "`proxyProtocol` is one of `unknown`, `HTTP/1`, `HTTP/2`, `gRPC`, `opaque` and `TLS`; the CRD does not check the value",
    source: "linkerd2 policy-controller/k8s/api/src/policy/server.rs",
  },
  {
    id: "mesh-tls",
    artefact: "MeshTLSAuthentication",
    reader: "policy controller",
    form: "either `identities` or `identityRefs`, not both; each item of `identityRefs` refers to a ServiceAccount or a Namespace",
    source: "linkerd2 policy-controller/k8s/api/src/policy/meshtls_authentication.rs",
  },
  {
    id: "authorization-policy",
    artefact: "AuthorizationPolicy",
    reader: "policy controller, its admission webhook",
    form: "`requiredAuthenticationRefs` contains at most one reference to a MeshTLSAuthentication or ServiceAccount",
    source: "linkerd2 policy-controller/src/admission.rs",
  },
  {
    id: "service-profile",
    artefact: "ServiceProfile",
    reader: "destination controller, sp-validator",
    form: "the object's name is the full domain name of the Service; `timeout` is a Go duration",
    source: "linkerd2 pkg/profiles/profiles.go",
  },
  {
    id: "grpc-route",
    artefact: "GRPCRoute",
    reader: "policy controller",
    form: "each parent reference and each backend reference sets `port` to a port of the Service to which it refers",
    source: "linkerd2 policy-controller/k8s/index/src/outbound/grpc.rs",
  },
  // Flux, Helm, helmfile, SOPS
  {
    id: "flux-objects",
    artefact: "Kustomization, HelmRelease, HelmRepository, GitRepository",
    reader: "Flux's controllers",
    form: "only fields that the CRDs of these kinds define; `install.strategy` requires helm-controller 1.4 (Flux 2.7) or later",
    source: "fluxcd CRDs; helm-controller api/v2/helmrelease_types.go",
  },
  {
    id: "feature-gate",
    artefact: "argument `--feature-gates=CancelHealthCheckOnNewRevision=true` of Flux's controllers",
    reader: "kustomize-controller from 1.7 (Flux 2.7), helm-controller from 1.5.2 (Flux 2.8.2)",
    form: "`name=true`; older versions of these controllers do not start with this argument",
    source: "kustomize-controller and helm-controller internal/features/features.go",
  },
  {
    id: "values-configmap",
    artefact: "ConfigMap `<component>-values-<hash>`",
    reader: "helm-controller",
    form: "an entry `values.yaml` in `data`, whose value is YAML 1.1",
    source: "helm-controller api/v2/reference_types.go",
  },
  {
    id: "encrypted-secret",
    artefact: "`*.sops.yaml` in overlays",
    reader: "kustomize-controller",
    form: "an object of kind Secret with a top-level key `sops`; the reader does not check the MAC",
    source: "kustomize-controller internal/decryptor/decryptor.go",
  },
  {
    id: "sops-metadata",
    artefact: "`sops` metadata in encrypted files; `.sops.yaml`",
    reader: "sops",
    form: "`age[].recipient`, `age[].enc`, `lastmodified`, `mac`, `encrypted_regex`, `mac_only_encrypted`, `version`; if several creation rules match a file, sops uses the first matching rule",
    source: "sops stores/stores.go, config/config.go",
  },
  {
    id: "helmfile",
    artefact: "`helmfile.yaml` and its hook",
    reader: "helmfile 1.8",
    form: "`timeout` is in seconds; `needs` lists releases as namespace/release; helmfile runs a hook in the folder that contains `helmfile.yaml`",
    source: "helmfile pkg/state/state.go, pkg/event/bus.go",
  },
  {
    id: "azure",
    artefact: "arguments of `az` in the bootstrap script",
    reader: "az 2.91",
    form: "flags and flag values that the command modules aks, acr and role accept",
    source: "azure-cli command_modules/aks, acr, role, _params.py",
  },
];
