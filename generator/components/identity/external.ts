import type { LinkerdChart } from "../../catalog/linkerd.ts";
import { secretContracts } from "../../identity/contracts.ts";
import { settingsRevision } from "../../identity/pem.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import { webhooksOf } from "../../mesh/webhooks.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { hasExternalIdentity, installsLinkerd } from "../../spec/ownership.ts";
import type { Component, IdentityProvider, IgnoredDrift, ValuesObject } from "../component.ts";
import { identityChecks } from "./checks.ts";
import { proxySettings } from "./proxy-settings.ts";

/**
 * Identity provider for certificates that another program writes to the cluster, for example cert-manager. The revision
 * does not depend on certificates, so pods do not restart when the trust anchors change. `meshops status` lists the
 * pods that must restart.
 */
export function externalIdentity(environment: Environment): IdentityProvider {
  return {
    components: () => [certificates(environment)],
    revision: () => settingsRevision(proxySettings(environment)),
    chartValues: (chart) => ({
      ...(chart === "linkerd-control-plane" ? { identity: identityValues(environment) } : {}),
      ...webhookValues(environment, chart),
    }),
    chartValuesFrom: (chart) => (chart === "linkerd-control-plane" ? anchorSource(environment) : []),
    contracts: secretContracts(environment),
    ignoredDrift: injectsCa(environment) ? injectedCas : [],
  };
}

/** Whether cert-manager's CA injector sets the CAs of the webhooks. */
export function injectsCa(environment: Environment): boolean {
  return hasExternalIdentity(environment) && environment.spec.linkerd.identity.webhooks === "external";
}

/**
 * The fields that cert-manager's CA injector writes. Each webhook configuration of Linkerd's charts contains a single
 * webhook.
 */
const injectedCas: readonly IgnoredDrift[] = [
  { kind: "MutatingWebhookConfiguration", paths: ["/webhooks/0/clientConfig/caBundle"] },
  { kind: "ValidatingWebhookConfiguration", paths: ["/webhooks/0/clientConfig/caBundle"] },
  { kind: "APIService", paths: ["/spec/caBundle"] },
];

/**
 * Returns a component with the tests that `meshops verify` runs on the certificates. meshops does not deliver the
 * certificates.
 */
function certificates(environment: Environment): Component {
  return {
    id: "identity",
    group: "linkerd",
    needs: [],
    build: () => ({ namespace: "linkerd", delivery: { kind: "none", podsIn: null }, checks: identityChecks(environment) }),
  };
}

/**
 * Returns the chart values for the trust anchors and the issuer. If `externalCA` is true, the chart does not write the
 * ConfigMap linkerd-identity-trust-roots. With the scheme kubernetes.io/tls, the chart does not write the issuer's
 * Secret (linkerd-control-plane, templates/identity.yaml).
 */
function identityValues(environment: Environment): JsonMap {
  const [source] = anchorSource(environment);
  return { externalCA: source === undefined, issuer: { scheme: "kubernetes.io/tls" } };
}

function anchorSource(environment: Environment): ValuesObject[] {
  const { trustAnchors } = environment.spec.linkerd.identity;
  const secret = installsLinkerd(environment) ? trustAnchors?.secretRef : undefined;
  return secret === undefined ? [] : [{ kind: "Secret", ...secret, targetPath: "identityTrustAnchorsPEM" }];
}

/**
 * Returns the chart values for the certificates of webhooks. If `injectCaFrom` is set, the chart adds an annotation to
 * the webhook configuration or the APIService. cert-manager's CA injector reads this annotation and sets `caBundle`.
 * The value `injectCaFrom` refers to a cert-manager Certificate with the name of the webhook's Service, as in Linkerd's
 * documentation ("Automatically Rotating Webhook TLS Credentials").
 */
function webhookValues(environment: Environment, chart: LinkerdChart): JsonMap {
  if (environment.spec.linkerd.identity.webhooks === "chart") return {};
  const own = webhooksOf(environment).filter((webhook) => webhook.chart === chart);
  return Object.fromEntries(
    own.map(({ value, namespace, service }) => [value, { externalSecret: true, injectCaFrom: `${namespace}/${service}` }]),
  );
}
