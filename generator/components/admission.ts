import type { IgnoredDrift, ModelContext } from "./component.ts";

/**
 * JSON pointer to the namespaceSelector in a webhook configuration. The admissions enforcer of AKS adds expressions to
 * the namespaceSelector of every webhook (Azure/AKS#4002). If Flux removed these expressions as drift, the enforcer
 * would repeatedly add them again. Drift detection ignores the selector in all environments, because a cluster without
 * `spec.azure` can also be on AKS. Each webhook configuration of Linkerd's charts contains a single webhook.
 */
const selector = "/webhooks/0/namespaceSelector";

/**
 * Returns the fields that drift detection must ignore in objects of the given kinds: the selectors of webhook
 * configurations, and the fields in `ignoredDrift` of the identity provider.
 *
 * @param kinds kinds of the webhook configurations and APIServices in a chart
 */
export function admissionDrift({ identity }: Pick<ModelContext, "identity">, kinds: readonly string[]): readonly IgnoredDrift[] {
  return kinds.flatMap((kind) => {
    const selectors = kind.endsWith("WebhookConfiguration") ? [selector] : [];
    const paths = [...selectors, ...identity.ignoredDrift.filter((drift) => drift.kind === kind).flatMap((drift) => drift.paths)];
    return paths.length === 0 ? [] : [{ kind, paths }];
  });
}
