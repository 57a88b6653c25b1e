import type { V1ConfigMap } from "@kubernetes/client-node";
import type { LinkerdChart } from "../../catalog/linkerd.ts";
import { type SecretContract, secretContracts } from "../../identity/contracts.ts";
import type { Identity } from "../../identity/identity.ts";
import { identityRevision, issuerFingerprint } from "../../identity/pem.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import { webhooksOf } from "../../mesh/webhooks.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import type { Component, IdentityProvider } from "../component.ts";
import { identityChecks } from "./checks.ts";

/**
 * Identity provider for certificates that meshops issues: certificates are in Git, private keys in SOPS-encrypted
 * Secrets.
 */
export function sopsIdentity(environment: Environment, identity: Identity): IdentityProvider {
  const contracts = secretContracts(environment);
  return {
    contracts,
    components: () => [secretsComponent(environment, identity, contracts)],
    revision: () => identityRevision(identity, environment.spec.linkerd.version),
    chartValues: (chart) => ({
      ...(chart === "linkerd-control-plane" ? controlPlaneValues(identity) : {}),
      ...webhookValues(environment, chart, identity.webhookCa),
    }),
  };
}

/**
 * Component with the encrypted Secrets, which contain the private keys of issuer and webhooks, and with the public
 * certificates. It is applied before the charts, so that no key is passed as a Helm value, which Helm would store in
 * its release Secret.
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
            metadata: { name: "meshops-identity", namespace: "linkerd" },
            data: { "trust-anchors.crt": trustAnchors, "issuer.crt": issuer, "webhook-ca.crt": webhookCa },
          } satisfies V1ConfigMap,
        ],
      },
      timeoutMinutes: 2,
    }),
  };
}

function controlPlaneValues(identity: Identity): JsonMap {
  return {
    // The chart writes a hash of this value, untrimmed, into the annotation that restarts the control plane.
    identityTrustAnchorsPEM: identity.trustAnchors,
    identity: { externalCA: false, issuer: { scheme: "kubernetes.io/tls" } },
    podAnnotations: { "meshops.dev/issuer-sha256": issuerFingerprint(identity) },
  };
}

/** Values that set the CA of a chart's webhooks, so that the chart does not create new certificates at every render. */
function webhookValues(environment: Environment, chart: LinkerdChart, caBundle: string): JsonMap {
  const own = webhooksOf(environment).filter((webhook) => webhook.chart === chart);
  return Object.fromEntries(own.map((webhook) => [webhook.value, { externalSecret: true, caBundle }]));
}
