import type { KeyForm } from "../catalog/secret-keys.ts";
import { secretNames } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { bundleIn } from "./anchors.ts";
import { isRefused, keyFormOf } from "./key-form.ts";
import { type Certificate, certificatesIn, fingerprint } from "./pem.ts";

/** A certificate that the mesh uses in a cluster. */
export interface ClusterCertificate {
  /** `trust-anchor`, `issuer`, or the name of a webhook's Service. `meshops identity status` uses the same names. */
  readonly name: string;
  /** RFC 3339, in UTC. */
  readonly notAfter: string;
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** Objects that contain the mesh's certificates in a cluster. */
export interface IdentityObjects {
  readonly trustRoots: KubernetesObject | null;
  /**
   * Secrets by `namespace/name`; an entry is null if the Secret does not exist. The map is null if you are not allowed
   * to read Secrets.
   */
  readonly secrets: ReadonlyMap<string, KubernetesObject | null> | null;
  /**
   * ConfigMap `meshops-identity` with the last committed certificates; null if the ConfigMap does not exist.
   */
  readonly committed: KubernetesObject | null;
}

/**
 * Certificates of a cluster: the certificates in the trust bundle, and the certificates in Secrets. Secrets that cannot
 * be read, or that contain no certificate, are skipped.
 */
export function clusterCertificates(environment: Environment, objects: IdentityObjects): ClusterCertificate[] {
  const issuer = issuerIn(objects);
  const webhooks = webhooksOf(environment).map(
    ({ service, namespace, secret }) => [service, certificateIn(objects, namespace, secret)] as const,
  );
  const all = [
    ...bundleIn(objects.trustRoots).map((anchor) => ["trust-anchor", anchor] as const),
    ["issuer", issuer] as const,
    ...webhooks,
  ];
  return all.flatMap(([name, certificate]) =>
    certificate === undefined
      ? []
      : [{ name, notAfter: new Date(certificate.validTo).toISOString(), sha256: fingerprint(certificate) }],
  );
}

/**
 * Issuer certificate of a cluster: from the issuer's Secret, or from the ConfigMap `meshops-identity` if Secrets cannot
 * be read. If the chart wrote the Secret (scheme linkerd.io/tls), its key is `crt.pem` (linkerd-control-plane,
 * templates/identity.yaml).
 */
export function issuerIn(objects: IdentityObjects): Certificate | undefined {
  const { secrets } = objects;
  if (secrets !== null)
    return (
      certificateIn(objects, "linkerd", secretNames.issuer) ??
      certificatesIn(decoded(secrets.get(`linkerd/${secretNames.issuer}`), "crt.pem"))[0]
    );
  const [issuer] = certificatesIn(String(at(objects.committed, "data", "issuer.crt") ?? ""));
  return issuer;
}

/**
 * Returns the webhook Secrets with an unusable private key: the program that reads the key does not accept the PEM
 * form.
 */
export function refusedKeys(
  environment: Environment,
  { secrets }: IdentityObjects,
): { readonly secret: string; readonly form: KeyForm }[] {
  return webhooksOf(environment).flatMap(({ namespace, secret }) => {
    const form = keyFormOf(decoded(secrets?.get(`${namespace}/${secret}`), "tls.key") ?? "");
    return form !== null && isRefused(secret, form) ? [{ secret, form }] : [];
  });
}

function certificateIn({ secrets }: IdentityObjects, namespace: string, secret: string): Certificate | undefined {
  return certificatesIn(decoded(secrets?.get(`${namespace}/${secret}`), "tls.crt"))[0];
}

/** Decoded text of a key of a Secret; null if the Secret does not have the key. */
export function decoded(secret: KubernetesObject | null | undefined, key: string): string | null {
  const value = at(secret, "data", key);
  return typeof value === "string" ? Buffer.from(value, "base64").toString() : null;
}

/**
 * Returns the Secrets that pods mount but that do not exist, as `namespace/name`, each with one of the pods. Returns an
 * empty list if you are not allowed to read Secrets.
 */
export function lostSecrets({ secrets }: IdentityObjects, pods: readonly KubernetesObject[]): [string, KubernetesObject][] {
  return [...mountedSecrets(pods)].filter(([id]) => secrets?.get(id) === null);
}

/** Returns the Secrets that pods mount, as `namespace/name`, each with one of the pods. Skips optional Secrets. */
export function mountedSecrets(pods: readonly KubernetesObject[]): Map<string, KubernetesObject> {
  const found = new Map<string, KubernetesObject>();
  for (const pod of pods) {
    const volumes = (at(pod, "spec", "volumes") ?? []) as readonly { secret?: { secretName?: string; optional?: boolean } }[];
    for (const { secret } of volumes)
      if (secret?.secretName !== undefined && secret.optional !== true)
        found.set(`${pod.metadata.namespace}/${secret.secretName}`, pod);
  }
  return found;
}
