import { identitySecrets } from "../../mesh/webhooks.ts";
import type { Component } from "../component.ts";
import { identityRules } from "./rules.ts";

/**
 * The mesh's identity: encrypted Secrets with the issuer's and the webhooks' keys, and the public certificates.
 * Applied before the charts, so that no key passes through Helm values (which Helm keeps in its release Secret).
 */
export const identity: Component = {
  name: "identity",
  needs: ["namespaces"],
  enabled: () => true,
  rules: identityRules,
  build: ({ environment, identity: { trustAnchors, issuer, webhookCa } }) => ({
    namespace: "linkerd",
    partOf: "linkerd",
    secrets: identitySecrets(environment),
    resources: {
      certificates: [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: { name: "meshops-identity", namespace: "linkerd" },
          data: { "trust-anchors.crt": trustAnchors, "issuer.crt": issuer, "webhook-ca.crt": webhookCa },
        },
      ],
    },
    timeoutMinutes: 2,
  }),
};
