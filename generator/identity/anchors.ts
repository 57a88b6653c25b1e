import type { KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import { anchorsOf } from "../mesh/pod.ts";
import { sha256 } from "../system/hash.ts";
import { type Certificate, certificatesIn, fingerprint, signerOf } from "./pem.ts";

/** A meshed pod that lacks at least one trust anchor of the cluster's trust bundle. */
export interface AnchorGap {
  /** `namespace/name`. */
  readonly pod: string;
  /**
   * SHA-256 of the anchors that the pod lacks, in lower-case hexadecimal; null if the pod does not list its anchors.
   */
  readonly lacks: readonly string[] | null;
  /**
   * Whether the pod lacks the anchor that signed the issuer. If true, the pod rejects every certificate that the mesh
   * issues now.
   */
  readonly breaks: boolean;
}

/**
 * Certificates in the ConfigMap `linkerd-identity-trust-roots`, from which Linkerd reads the trust anchors. Empty if
 * the ConfigMap is missing or damaged.
 */
export function bundleIn(trustRoots: KubernetesObject | null): Certificate[] {
  const text = at(trustRoots, "data", "ca-bundle.crt");
  return certificatesIn(typeof text === "string" ? text : null);
}

/**
 * Meshed pods that lack a trust anchor of the bundle. Proxies read the trust anchors only when they start. Therefore,
 * these pods must restart before the next step of a rotation.
 *
 * In injected pods, an environment variable of the proxy contains the PEM text. In control plane pods, this variable
 * refers to the ConfigMap (`valueFrom`), so the annotation `linkerd.io/trust-root-sha256` is compared instead: with the
 * digest of the bundle, and with the digest of each of its anchors. The chart writes this annotation
 * (linkerd-control-plane, templates; the same in all four releases).
 *
 * @param issuer the issuer's certificate; undefined if it is not known
 */
export function anchorGaps(
  pods: readonly KubernetesObject[],
  trustRoots: KubernetesObject | null,
  issuer: Certificate | undefined,
): AnchorGap[] {
  const bundle = bundleIn(trustRoots);
  if (bundle.length === 0) return [];
  const wanted = bundle.map(fingerprint);
  const signer = signerOf(issuer, bundle);
  const text = String(at(trustRoots, "data", "ca-bundle.crt"));
  const single = (text.match(pemBlock) ?? []).map((pem, index) => [digestsOf(pem), wanted[index]] as const);
  return pods.flatMap((pod): AnchorGap[] => {
    const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const own = anchorsOf(pod);
    const digest = pod.metadata.annotations?.["linkerd.io/trust-root-sha256"];
    if (own === undefined && (digest === undefined || digestsOf(text).includes(digest))) return [];
    const only = single.find(([digests]) => digest !== undefined && digests.includes(digest))?.[1];
    if (own === undefined && only === undefined) return [{ pod: name, lacks: null, breaks: false }];
    const trusted = own === undefined ? [only] : certificatesIn(own).map(fingerprint);
    const lacks = wanted.filter((anchor) => !trusted.includes(anchor));
    if (lacks.length === 0) return [];
    const breaks =
      signer === undefined ? trusted.length === 0 || lacks.length === wanted.length : lacks.includes(fingerprint(signer));
    return [{ pod: name, lacks, breaks }];
  });
}

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * SHA-256 of a PEM text without and with a trailing newline. The chart hashes its value, which might end with a newline.
 * The text in the ConfigMap does not end with a newline.
 */
function digestsOf(pem: string): string[] {
  const text = pem.trim();
  return [text, `${text}\n`].map(sha256);
}
