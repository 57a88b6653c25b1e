import { makeServerCertificate, makeWebhookCa, privateKeyPem } from "../../../generator/identity/authority.ts";
import type { ApiObject } from "./api.ts";

/** Names and validity of certificates that meshops did not create. */
export const names = { trustDomain: "cluster.local", anchorValidity: "10y", issuerValidity: "1y", webhookValidity: "1y" };

const webhookCa = makeWebhookCa(names, new Date());

/**
 * Lines of YAML with values for the chart of Linkerd's control plane, each indented by four spaces. The values contain
 * the CA that signed the certificates in `webhookSecrets`. The real chart creates these certificates, but the charts of
 * the harness do not.
 */
export const webhookValues: string = ["proxyInjector", "profileValidator", "policyValidator"]
  .map((name) => `    ${name}: ${JSON.stringify({ caBundle: webhookCa.certificate })}\n`)
  .join("");

/** Returns the Secrets of the webhooks that Linkerd's real chart writes (templates/*-rbac.yaml). */
export function webhookSecrets(): ApiObject[] {
  return ["linkerd-proxy-injector", "linkerd-sp-validator", "linkerd-policy-validator"].map((service) => {
    const pair = makeServerCertificate(`${service}.linkerd.svc`, names, webhookCa, new Date());
    return secretOf(`${service}-k8s-tls`, { "tls.crt": pair.certificate, "tls.key": privateKeyPem(pair, "PKCS#8") });
  });
}

/** Returns a Secret in the namespace `linkerd`. */
export function secretOf(name: string, stringData: Readonly<Record<string, string>>): ApiObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "linkerd" }, stringData } as unknown as ApiObject;
}
