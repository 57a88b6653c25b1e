import type { Context, IgnoredDrift } from "./component.ts";

/**
 * Webhook selectors that drift detection must ignore on AKS. AKS's admissions enforcer adds expressions to the
 * namespaceSelector of every webhook (Azure/AKS#4002); if Flux corrected this drift, Flux and the enforcer would
 * overwrite each other's changes repeatedly. Each webhook configuration of Linkerd's charts contains a single webhook.
 */
export function webhookSelectors({ environment }: Context, kinds: readonly string[]): readonly IgnoredDrift[] {
  if (environment.spec.azure === undefined) return [];
  return kinds.map((kind) => ({ kind, paths: ["/webhooks/0/namespaceSelector"] }));
}
