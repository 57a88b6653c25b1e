import type { IgnoredDrift } from "./component.ts";

/**
 * Webhook selectors that drift detection must ignore. The admissions enforcer of AKS adds expressions to the
 * namespaceSelector of every webhook (Azure/AKS#4002); if Flux corrected this drift, Flux and the enforcer would
 * overwrite each other's changes repeatedly. The exception applies to all environments, because a cluster without
 * `spec.azure` can also be on AKS. Each webhook configuration of Linkerd's charts contains a single webhook.
 */
export function webhookSelectors(kinds: readonly string[]): readonly IgnoredDrift[] {
  return kinds.map((kind) => ({ kind, paths: ["/webhooks/0/namespaceSelector"] }));
}
