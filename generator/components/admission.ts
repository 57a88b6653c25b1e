import type { Environment } from "../spec/environment.generated.ts";
import { hasExternalIdentity } from "../spec/ownership.ts";
import type { IgnoredDrift } from "./component.ts";

/**
 * Returns the path of a webhook configuration's selector, so that drift detection ignores the selector. The admissions
 * enforcer of AKS adds expressions to the namespaceSelector of every webhook (Azure/AKS#4002). If Flux corrected this
 * drift, Flux and the enforcer would repeatedly overwrite each other's changes. Drift detection ignores the selector in
 * all environments, because a cluster without `spec.azure` can also be on AKS. Each webhook configuration of Linkerd's
 * charts contains a single webhook.
 */
function selector(kind: string): IgnoredDrift {
  return { kind, paths: ["/webhooks/0/namespaceSelector"] };
}

/**
 * Fields of webhook configurations that drift detection must ignore: the selectors, and `caBundle` if cert-manager's CA
 * injector sets it.
 */
export function webhookDrift(environment: Environment, kinds: readonly string[]): readonly IgnoredDrift[] {
  if (!injectsCa(environment)) return kinds.map(selector);
  return kinds.map((kind) => ({ kind, paths: [...selector(kind).paths, "/webhooks/0/clientConfig/caBundle"] }));
}

/** Fields of APIServices that drift detection must ignore: `caBundle`, if cert-manager's CA injector sets it. */
export function apiServiceDrift(environment: Environment): readonly IgnoredDrift[] {
  return injectsCa(environment) ? [{ kind: "APIService", paths: ["/spec/caBundle"] }] : [];
}

/** Whether cert-manager's CA injector sets the CAs of the webhooks. */
export function injectsCa(environment: Environment): boolean {
  return hasExternalIdentity(environment) && environment.spec.linkerd.identity.webhooks === "external";
}
