import type { V1ConfigMap } from "@kubernetes/client-node";
import type { LinkerdChart } from "../../catalog/linkerd.ts";
import { committedIdentity } from "../../catalog/well-known.ts";
import { type SecretContract, secretContracts } from "../../identity/contracts.ts";
import type { Identity } from "../../identity/identity.ts";
import { identityRevision, issuerFingerprint } from "../../identity/pem.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import { webhooksOf } from "../../mesh/webhooks.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { certificateFiles } from "../../spec/layout.ts";
import type { Component, IdentityProvider } from "../component.ts";
import { identityChecks } from "./checks.ts";
import { proxySettings } from "./proxy-settings.ts";

/**
 * Identity provider for certificates that meshops issues. Git contains the certificates as plain text, and the private
 * keys in SOPS-encrypted Secrets.
 */
export function sopsIdentity(environment: Environment, identity: Identity): IdentityProvider {
  const contracts = secretContracts(environment);
  return {
    components: () => [secretsComponent(environment, identity, contracts)],
    revision: () => identityRevision(identity, proxySettings(environment)),
    chartValues: (chart) => ({
      ...(chart === "linkerd-control-plane" ? controlPlaneValues(identity) : {}),
      ...webhookValues(environment, chart, identity.webhookCa),
    }),
    chartValuesFrom: () => [],
    contracts,
    ignoredDrift: [],
  };
}

/**
 * Component with the public certificates and the encrypted Secrets. The Secrets contain the private keys of the issuer
 * and the webhooks. Flux and helmfile apply the component before the charts, so that no Helm value contains a private
 * key. Helm would store such a key in the Secret of the release.
 */
function secretsComponent(
  environment: Environment,
  { trustAnchors, issuer, webhookCa }: Identity,
  contracts: readonly SecretContract[],
): Component {
  return {
    id: "identity",
    group: "linkerd",
    needs: [{ component: "namespaces" }],
    build: () => ({
      namespace: "linkerd",
      delivery: { kind: "objects", helmfile: "release" },
      secrets: contracts.map(({ name }) => name),
      checks: identityChecks(environment),
      objects: {
        certificates: [
          {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: committedIdentity,
            data: {
              [certificateFiles.trustAnchors]: trustAnchors,
              [certificateFiles.issuer]: issuer,
              [certificateFiles.webhookCa]: webhookCa,
            },
          } satisfies V1ConfigMap,
        ],
      },
      timeoutMinutes: 2,
    }),
  };
}

function controlPlaneValues(identity: Identity): JsonMap {
  return {
    // The chart writes a hash of this value to an annotation of the control plane's pod templates, so these pods
    // restart if the value changes. The chart does not trim the value before it computes the hash.
    identityTrustAnchorsPEM: identity.trustAnchors,
    identity: { externalCA: false, issuer: { scheme: "kubernetes.io/tls" } },
    podAnnotations: { "meshops.dev/issuer-sha256": issuerFingerprint(identity) },
  };
}

/**
 * Values that set the CA of a chart's webhooks. Without these values, the chart would create new certificates at every
 * render.
 */
function webhookValues(environment: Environment, chart: LinkerdChart, caBundle: string): JsonMap {
  const own = webhooksOf(environment).filter((webhook) => webhook.chart === chart);
  return Object.fromEntries(own.map((webhook) => [webhook.value, { externalSecret: true, caBundle }]));
}
