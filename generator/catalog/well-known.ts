/** Labels, annotations and names that Linkerd defines (linkerd2, pkg/k8s/labels.go). */

/** Annotation of pod templates and namespaces that controls proxy injection: `enabled`, `ingress` or `disabled`. */
export const injectKey = "linkerd.io/inject";

/** Name of the proxy container. */
export const proxyContainer = "linkerd-proxy";

/**
 * Label of meshed pods. Its value is the namespace of the control plane. The label does not prove that a pod has a
 * proxy, because users can set the label on any pod.
 */
export const meshedLabel = "linkerd.io/control-plane-ns";

/**
 * Namespaces that the proxy injector ignores by default (linkerd2, charts/linkerd-control-plane/values.yaml,
 * `proxyInjector.namespaceSelector`, in all releases of the catalog).
 */
export const uninjectedNamespaces: readonly string[] = ["kube-system", "cert-manager"];

/**
 * Labels that the proxy injector adds to pods (linkerd2, pkg/k8s/labels.go and pkg/inject/inject.go). The labels that
 * begin with `linkerd.io/proxy-` contain the name of the pod's owner.
 */
export const injectedLabel: RegExp = /^linkerd\.io\/(control-plane-ns|workload-ns|proxy-[a-z]+)$/;

/** Label of namespaces. If the value is `disabled`, Linkerd's webhooks ignore the namespace. */
export const admissionWebhooksLabel = "config.linkerd.io/admission-webhooks";

/** Prefix of the annotations that configure proxies. */
export const proxyPrefix = "config.linkerd.io/";

/**
 * Annotations that set how the proxy handles traffic to ports. Users can set these annotations on pods and namespaces,
 * and `opaque` also on Services (linkerd.io, "Proxy Configuration").
 */
export const portKeys = {
  opaque: "config.linkerd.io/opaque-ports",
  skipInbound: "config.linkerd.io/skip-inbound-ports",
  skipOutbound: "config.linkerd.io/skip-outbound-ports",
} as const;

/**
 * Annotations for tap. The tap injector of viz sets `enabled` on pods. Users set `disabled` on pods and namespaces
 * (linkerd2, viz/pkg/labels/labels.go).
 */
export const tapKeys = { enabled: "viz.linkerd.io/tap-enabled", disabled: "viz.linkerd.io/disable-tap" } as const;

/** Secrets of type kubernetes.io/tls that Linkerd's workloads mount (source: Deployments in the rendered charts). */
export const secretNames = {
  issuer: "linkerd-identity-issuer",
  proxyInjector: "linkerd-proxy-injector-k8s-tls",
  profileValidator: "linkerd-sp-validator-k8s-tls",
  policyValidator: "linkerd-policy-validator-k8s-tls",
  tap: "tap-k8s-tls",
  tapInjector: "tap-injector-k8s-tls",
  jaegerInjector: "jaeger-injector-k8s-tls",
} as const;

/** Namespaces that every cluster has (Kubernetes docs, "Namespaces", "Initial namespaces"). */
export const initialNamespaces: readonly string[] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/** Two networks: the network of all IPv4 addresses, and the network of all IPv6 addresses. */
export const allNetworks: readonly string[] = ["0.0.0.0/0", "::/0"];

/**
 * Option for kubectl commands that change objects from Flux. When Flux applies an object again, Flux removes the fields
 * whose field manager starts with `kubectl`, for example the annotation of `kubectl rollout restart`. Flux keeps the
 * fields whose field manager is `flux-client-side-apply` (Flux 2.9.6: kustomize-controller,
 * internal/controller/kustomization_controller.go).
 */
export const fluxFieldManager = "--field-manager=flux-client-side-apply";

/** API group of Linkerd's policies (Server, AuthorizationPolicy and others). */
export const policyGroup = "policy.linkerd.io";

/** API group of the Gateway API (HTTPRoute, GRPCRoute and others). */
export const gatewayGroup = "gateway.networking.k8s.io";

/** Names of the ports of the proxy container (linkerd2, charts/partials/templates/_proxy.tpl). */
export const proxyPortNames = { inbound: "linkerd-proxy", admin: "linkerd-admin" } as const;

/**
 * Keys of Secrets of type kubernetes.io/tls (Kubernetes docs, "TLS Secrets"). Linkerd's issuer Secret also has the key
 * `ca.crt`.
 */
export const tlsKeys = { certificate: "tls.crt", privateKey: "tls.key", anchor: "ca.crt" } as const;

/** ConfigMap from which Linkerd reads the trust anchors (linkerd-control-plane chart, templates/identity.yaml). */
export const trustBundle = { name: "linkerd-identity-trust-roots", namespace: "linkerd", key: "ca-bundle.crt" } as const;

/** ConfigMap that meshops generates with the public certificates. Only meshops reads this ConfigMap. */
export const committedIdentity = { name: "meshops-identity", namespace: "linkerd" } as const;

/**
 * Annotation of pod templates. The value of the annotation changes with the identity of the mesh, so that Kubernetes
 * restarts the pods.
 */
export const identityRevisionKey = "meshops.dev/identity-revision";

/** Label that Kubernetes sets on each namespace. Its value is the name of the namespace. */
export const namespaceNameLabel = "kubernetes.io/metadata.name";

/** Annotation that keeps an object in the cluster when its Flux Kustomization no longer contains the object. */
export const keptByFlux = { "kustomize.toolkit.fluxcd.io/prune": "disabled" } as const;

/** Label of objects that meshops generates or creates (Kubernetes docs, "Recommended Labels"). */
export const managedLabel = { "app.kubernetes.io/managed-by": "meshops" } as const;

/** Whether labels show that meshops generated or created an object. */
export function isManaged(labels: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(managedLabel).every(([key, value]) => labels[key] === value);
}
