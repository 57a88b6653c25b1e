import { compareText } from "../system/text.ts";

/** A finding: a message, its position in a file, and a fix. */
export interface Diagnostic {
  /** Path relative to the repository root, with forward slashes. */
  readonly file: string;
  /** Line number, starting at 1. If the finding is about the file as a whole, the line number is 1. */
  readonly line: number;
  /** Column number, starting at 1. Counts UTF-16 code units, as editors do. */
  readonly column: number;
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** A noun phrase that describes the valid values. */
  readonly expected: string | null;
  /** One action with which the user can remove the finding. */
  readonly fix: string | null;
  readonly excerpt: Excerpt | null;
  /**
   * Path from the root of the document to the value that the finding is about. Omitted if the finding is not about a
   * value.
   */
  readonly path?: readonly (string | number)[];
  /** Reason why a user silenced the finding. A silenced finding is shown, but it is not counted. */
  readonly silenced?: string;
}

/** The source line that a diagnostic refers to. */
export interface Excerpt {
  readonly text: string;
  /** Length of the underlined part, at least 1. */
  readonly length: number;
}

/** Codes of the findings. A code never changes, because users silence warnings and search for help by code. */
export type DiagnosticCode =
  | "file-missing"
  | "file-unreadable"
  | "file-too-large"
  | "file-encoding"
  | "file-outside"
  | "template-unrendered"
  | "yaml-syntax"
  | "yaml-duplicate-key"
  | "yaml-alias"
  | "yaml-multi-document"
  | "yaml-too-deep"
  | "too-many-findings"
  | "wrong-type"
  | "unknown-key"
  | "missing-key"
  | "not-allowed"
  | "bad-format"
  | "out-of-range"
  | "duplicate-item"
  | "extends-missing"
  | "extends-cycle"
  | "name-mismatch"
  | "environment-unknown"
  // Rules for specs (generator/lint/specs, and the rules of the components).
  | "age-recipient"
  | "age-recipient-shared"
  | "aks-cluster-domain"
  | "calico-auto-provisioning"
  | "calico-dual-stack"
  | "calico-with-cni"
  | "client-image"
  | "client-namespace-unmeshed"
  | "client-not-listed"
  | "client-not-meshed"
  | "client-sources-missing"
  | "cluster-facts-differ"
  | "cluster-shared"
  | "context-shared"
  | "age-key-shared"
  | "linkerd-setting-unused"
  | "linkerd-version-untested"
  | "component-unknown"
  | "override-refused"
  | "override-owned"
  | "override-replaces"
  | "patch-invalid"
  | "patch-target"
  | "patch-unchecked"
  | "patch-hook"
  | "value-unknown"
  | "values-from-helmfile"
  | "dependency-cycle"
  | "dependency-helmfile"
  | "dependency-root"
  | "flux-too-old"
  | "gitops-name-taken"
  | "gitops-path-mismatch"
  | "gitops-root-missing"
  | "dgraph-alpha-group"
  | "dgraph-preview"
  | "dgraph-chart-untested"
  | "dgraph-alpha-too-few"
  | "dgraph-method-stream"
  | "dgraph-method-unknown"
  | "azure-location-unknown"
  | "azure-size-unsuitable"
  | "dgraph-closed"
  | "dgraph-methods-unused"
  | "dgraph-nodes-too-few"
  | "dgraph-whitelist-open"
  | "dgraph-zero-even"
  | "grafana-without-viz"
  | "grpc-route-unsupported"
  | "high-availability-nodes"
  | "identity-issuer-outlives-anchor"
  | "identity-validity-short"
  | "image-gone"
  | "internal-ports-refused"
  | "internal-ports-skipped"
  | "internal-ports-stall"
  | "issuer-shared"
  | "ipv6-unsupported"
  | "jaeger-trust-domain"
  | "kubernetes-too-new"
  | "kubernetes-too-old"
  | "namespace-conflict"
  | "namespace-reserved"
  | "namespace-setting"
  | "network-policy-unenforced"
  | "resource-group-shared"
  | "access-audit-unsupported"
  | "audit-admits-more"
  | "prometheus-client"
  | "workload-dependency"
  | "workload-port-skipped"
  | "client-cidrs-cilium"
  | "client-weak"
  | "cluster-networks-missing"
  | "identity-shared"
  | "network-invalid"
  | "selector-overlap"
  | "workload-name-taken"
  | "workload-port-duplicate"
  | "workload-differs"
  | "workload-folder-shared"
  | "workload-namespace-other"
  | "workload-risk"
  | "workload-secret"
  | "workload-selector-empty"
  | "registry-conflict"
  | "release-name-taken"
  | "workload-client"
  | "workload-field-unused"
  | "workload-folder-missing"
  | "workload-method-stream"
  | "workload-method-unknown"
  | "workload-not-meshed"
  | "workload-namespace-helmfile"
  | "workload-namespace-included"
  | "workload-path"
  | "workload-port-unknown"
  | "workload-proxy-setting"
  | "workload-ref-missing"
  | "workload-route-port"
  | "workload-route-service"
  | "workload-source"
  | "workload-unknown"
  | "webhook-policy-fail"
  | "webhook-policy-ignore"
  // Rules for Kubernetes objects without a spec (generator/lint/manifests).
  | "annotation-misplaced"
  | "ingress-endpoints"
  | "kind-not-served"
  | "network-policies-add-up"
  | "not-checked"
  | "network-policy-without-viz"
  | "object-duplicate"
  | "port-name-unknown"
  | "prestop-missing"
  | "route-precedence"
  | "route-reference-missing"
  | "server-port-missing"
  | "service-account-shared"
  | "annotation-not-text"
  | "annotation-unknown"
  | "annotation-value"
  | "app-protocol-opaque"
  | "bases-missing"
  | "chart-version-floating"
  | "egress-without-control-plane"
  | "gateway-api-owners"
  | "identity-invalid"
  | "null-resets"
  | "identity-missing"
  | "identity-skipped"
  | "identity-unmatched"
  | "identity-unused"
  | "inject-host-network"
  | "inject-ignored"
  | "inject-label"
  | "inject-misplaced"
  | "inject-value"
  | "issuer-key-plaintext"
  | "jaeger-extension-removed"
  | "job-injected"
  | "kustomization-deadlock"
  | "linkerd-releases-differ"
  | "network-policy-proxy-port"
  | "opaque-one-sided"
  | "opaque-port-routed"
  | "pod-security-refuses"
  | "policy-target-missing"
  | "ports-skipped"
  | "probe-refused"
  | "profile-and-route"
  | "profile-headless"
  | "profile-without-service"
  | "proto-missing"
  | "proto-syntax"
  | "proto-without-service"
  | "scaffold-outdated"
  | "server-denies-all"
  | "server-first-port"
  | "server-on-skipped-port"
  | "server-selects-nothing"
  | "servers-overlap"
  | "traffic-split-ignored"
  | "trust-anchor-renewed"
  | "trust-bundle-missing"
  | "udp-unmeshed"
  | "webhook-key-form";

/** Whether the finding is not silenced. */
export function isActive({ silenced }: Diagnostic): boolean {
  return silenced === undefined;
}

/** Compares diagnostics by location: first by file, then from top to bottom within a file. */
export function compareLocation(a: Diagnostic, b: Diagnostic): number {
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.code, b.code);
}

/** Whether any of the diagnostics is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}

/** Returns an error finding about a file as a whole. */
export function fileDiagnostic(file: string, { code, message, fix }: Pick<Diagnostic, "code" | "message" | "fix">): Diagnostic {
  return { file, line: 1, column: 1, code, severity: "error", message, expected: null, fix, excerpt: null };
}

/**
 * Removes duplicate findings. Duplicates occur if several environments extend the same base, because each of these
 * environments has the findings of the base.
 */
export function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const key = ({ file, line, column, code, message }: Diagnostic): string => JSON.stringify([file, line, column, code, message]);
  return [...new Map(diagnostics.map((diagnostic) => [key(diagnostic), diagnostic])).values()];
}
