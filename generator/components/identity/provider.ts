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

/** The identity that meshops issues: certificates in Git, private keys in SOPS-encrypted Secrets. */
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
 * Encrypted Secrets with the keys of issuer and webhooks, and the public certificates. Applied before the charts, so that no key passes through Helm
 * values, which Helm keeps in its release Secret.
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
    // The chart hashes this value untrimmed into the annotation that restarts the control plane.
    identityTrustAnchorsPEM: identity.trustAnchors,
    identity: { externalCA: false, issuer: { scheme: "kubernetes.io/tls" } },
    podAnnotations: { "meshops.dev/issuer-sha256": issuerFingerprint(identity) },
  };
}

/** Values that hand a chart the CA of its webhooks, so that it creates no certificates of its own at every render. */
function webhookValues(environment: Environment, chart: LinkerdChart, caBundle: string): JsonMap {
  const own = webhooksOf(environment).filter((webhook) => webhook.chart === chart);
  return Object.fromEntries(own.map((webhook) => [webhook.value, { externalSecret: true, caBundle }]));
}
