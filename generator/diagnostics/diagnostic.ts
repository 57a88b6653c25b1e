import { compareText } from "../system/text.ts";

/** A finding: what is wrong, its location and how to fix it. */
export interface Diagnostic {
  /** Path relative to the repository root, with forward slashes. */
  readonly file: string;
  /** 1-based; 1 if the finding is about the file as a whole. */
  readonly line: number;
  /** 1-based, in UTF-16 code units, as editors count. */
  readonly column: number;
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  /** What would be valid, as a noun phrase. */
  readonly expected: string | null;
  /** How to fix it: one action that works. */
  readonly fix: string | null;
  readonly excerpt: Excerpt | null;
  /** Path from the root of the document to the value that the finding is about, if there is one. */
  readonly path?: readonly (string | number)[];
  /** Reason for accepting the finding, if a user silenced it. A silenced finding is shown but does not count. */
  readonly silenced?: string;
}

/** The source line that a diagnostic points into. */
export interface Excerpt {
  readonly text: string;
  /** Length of the underlined part, at least 1. */
  readonly length: number;
}

/** Stable names of the findings; users silence warnings and search for help by them. */
export type DiagnosticCode =
  | "file-missing"
  | "file-unreadable"
  | "file-too-large"
  | "file-encoding"
  | "file-outside"
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
  // Rules about specs (rules/).
  | "age-recipient"
  | "age-recipient-shared"
  | "calico-auto-provisioning"
  | "calico-dual-stack"
  | "calico-with-cni"
  | "client-image"
  | "client-not-listed"
  | "client-not-meshed"
  | "cluster-shared"
  | "dgraph-alpha-group"
  | "dgraph-alpha-too-few"
  | "dgraph-method-stream"
  | "dgraph-method-unknown"
  | "dgraph-methods-unused"
  | "dgraph-whitelist-open"
  | "dgraph-zero-even"
  | "grafana-without-viz"
  | "grpc-route-unsupported"
  | "high-availability-nodes"
  | "identity-issuer-outlives-anchor"
  | "identity-validity-short"
  | "image-gone"
  | "internal-ports-skipped"
  | "internal-ports-stall"
  | "ipv6-unsupported"
  | "jaeger-trust-domain"
  | "kubernetes-too-new"
  | "kubernetes-too-old"
  | "namespace-reserved"
  | "network-policy-unenforced"
  | "resource-group-shared"
  | "webhook-policy-fail"
  | "webhook-policy-ignore"
  // Rules about Kubernetes objects alone (generator/review).
  | "annotation-not-text"
  | "egress-without-control-plane"
  | "gateway-api-owners"
  | "inject-host-network"
  | "inject-misplaced"
  | "inject-value"
  | "jaeger-extension-removed"
  | "job-injected"
  | "network-policy-proxy-port"
  | "opaque-port-routed"
  | "policy-target-missing"
  | "ports-skipped"
  | "profile-and-route"
  | "profile-headless"
  | "profile-without-service"
  | "server-on-skipped-port"
  | "server-selects-nothing"
  | "proto-syntax"
  | "proto-without-service"
  | "identity-missing"
  | "identity-invalid"
  | "webhook-key-form"
  | "scaffold-outdated";

/** Whether the finding is not silenced. */
export function isLoud({ silenced }: Diagnostic): boolean {
  return silenced === undefined;
}

/** Compares diagnostics by location: by file, then from top to bottom. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return compareText(a.file, b.file) || a.line - b.line || a.column - b.column || compareText(a.code, b.code);
}

/** Whether any of the diagnostics is an error. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}

/** Returns an error about a file as a whole. */
export function atStart(file: string, { code, message, fix }: Pick<Diagnostic, "code" | "message" | "fix">): Diagnostic {
  return { file, line: 1, column: 1, code, severity: "error", message, expected: null, fix, excerpt: null };
}

/** Removes duplicate findings: every environment that extends a base has the findings of the base. */
export function distinct(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const key = ({ file, line, column, code, message }: Diagnostic): string => JSON.stringify([file, line, column, code, message]);
  return [...new Map(diagnostics.map((diagnostic) => [key(diagnostic), diagnostic])).values()];
}
