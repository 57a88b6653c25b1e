import type { Context, IgnoredDrift } from "./component.ts";

/**
 * AKS's admissions enforcer adds expressions to the namespaceSelector of every webhook (Azure/AKS#4002).
 * Left to drift detection, Flux and the enforcer would overwrite each other for ever. Every webhook configuration
 * of Linkerd's charts has a single webhook.
 */
export function webhookSelectors({ environment }: Context, kinds: readonly string[]): readonly IgnoredDrift[] {
  if (environment.spec.azure === undefined) return [];
  return kinds.map((kind) => ({ kind, paths: ["/webhooks/0/namespaceSelector"] }));
}
