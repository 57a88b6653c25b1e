import type { KeyForm } from "../catalog/secret-keys.ts";
import { secretNames, tlsKeys } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles } from "../spec/layout.ts";
import { bundleIn } from "./anchors.ts";
import { isRefused, keyFormOf } from "./key-form.ts";
import { type Certificate, certificatesIn, fingerprint } from "./pem.ts";

/** A certificate that Linkerd or its webhooks use in a cluster. */
export interface ClusterCertificate {
  /** `trust-anchor`, `issuer`, or the name of a webhook's Service. `meshops identity status` uses the same names. */
  readonly name: string;
  /** RFC 3339, in UTC. */
  readonly notAfter: string;
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** Objects from a cluster that contain the certificates of the mesh. */
export interface IdentityObjects {
  readonly trustRoots: KubernetesObject | null;
  /**
   * Secrets by `namespace/name`. An entry is null if the Secret does not exist. The map is null if the user is not
   * allowed to read Secrets.
   */
  readonly secrets: ReadonlyMap<string, KubernetesObject | null> | null;
  /**
   * ConfigMap `meshops-identity`, which is part of the bundle and contains the committed certificates. Null if the
   * cluster does not contain this ConfigMap.
   */
  readonly committed: KubernetesObject | null;
}

/**
 * Returns the certificates that a cluster uses: the trust anchors in the trust bundle, the issuer, and the server
 * certificates of the webhooks. Skips a certificate if its Secret does not exist, cannot be read, or contains no valid
 * certificate.
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
 * Returns the issuer certificate of a cluster from the issuer's Secret. If the user is not allowed to read Secrets,
 * returns the certificate in the ConfigMap `meshops-identity`. Returns undefined if the object that the function reads
 * contains no valid certificate. In a Secret that the chart created (scheme linkerd.io/tls), the key of the certificate
 * is `crt.pem` (linkerd-control-plane, templates/identity.yaml).
 */
export function issuerIn(objects: IdentityObjects): Certificate | undefined {
  const { secrets } = objects;
  if (secrets !== null)
    return (
      certificateIn(objects, "linkerd", secretNames.issuer) ??
      certificatesIn(decoded(secrets.get(`linkerd/${secretNames.issuer}`), "crt.pem"))[0]
    );
  const [issuer] = certificatesIn(String(at(objects.committed, "data", certificateFiles.issuer) ?? ""));
  return issuer;
}

/**
 * Returns the Secrets of webhooks whose private key is in a PEM form that the webhook's program rejects. The field
 * `form` of each entry is the PEM form of the key.
 */
export function refusedKeys(
  environment: Environment,
  { secrets }: IdentityObjects,
): { readonly secret: string; readonly form: KeyForm }[] {
  return webhooksOf(environment).flatMap(({ namespace, secret }) => {
    const form = keyFormOf(decoded(secrets?.get(`${namespace}/${secret}`), tlsKeys.privateKey) ?? "");
    return form !== null && isRefused(secret, form) ? [{ secret, form }] : [];
  });
}

/** Returns the certificate in a Secret of type kubernetes.io/tls; undefined if the Secret contains none. */
export function certificateIn(
  { secrets }: Pick<IdentityObjects, "secrets">,
  namespace: string,
  secret: string,
): Certificate | undefined {
  return certificatesIn(decoded(secrets?.get(`${namespace}/${secret}`), tlsKeys.certificate))[0];
}

/** Returns the decoded value of a key under `data` of a Secret. Returns null if the Secret does not have this key. */
function decoded(secret: KubernetesObject | null | undefined, key: string): string | null {
  const value = at(secret, "data", key);
  return typeof value === "string" ? Buffer.from(value, "base64").toString() : null;
}

/**
 * Returns the Secrets that pods mount but that do not exist. Each entry contains `namespace/name` of the Secret, and
 * one of the pods that mount the Secret. Returns an empty list if the user is not allowed to read Secrets.
 */
export function lostSecrets({ secrets }: IdentityObjects, pods: readonly KubernetesObject[]): [string, KubernetesObject][] {
  return [...mountedSecrets(pods)].filter(([id]) => secrets?.get(id) === null);
}

/**
 * Returns the Secrets that pods mount. The key is `namespace/name` of the Secret, and the value is one of the pods that
 * mount the Secret. Skips volumes whose Secret is optional.
 */
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
