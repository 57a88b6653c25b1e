import { trustBundle } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import { anchorsOf } from "../mesh/pod.ts";
import { sha256 } from "../system/hash.ts";
import { type Certificate, certificatesIn, fingerprint, pemBlocks, signerOf } from "./pem.ts";

/** A meshed pod that lacks one or more of the trust anchors in the cluster's trust bundle. */
export interface AnchorGap {
  /** `namespace/name`. */
  readonly pod: string;
  /**
   * SHA-256 of each trust anchor that the pod lacks, in lower-case hexadecimal. Null if the pod contains only a digest
   * of its trust anchors, and the digest matches none of the current trust anchors.
   */
  readonly lacks: readonly string[] | null;
  /**
   * Whether the pod does not trust the anchor that signed the current issuer. If true, the pod rejects every
   * certificate that the mesh issues now.
   */
  readonly breaks: boolean;
}

/**
 * Returns the trust anchors in the ConfigMap `linkerd-identity-trust-roots`. Linkerd reads the trust anchors from this
 * ConfigMap. Returns an empty list if the ConfigMap is missing or damaged.
 */
export function bundleIn(trustRoots: KubernetesObject | null): Certificate[] {
  const text = at(trustRoots, "data", trustBundle.key);
  return certificatesIn(typeof text === "string" ? text : null);
}

/**
 * Returns the meshed pods that lack one or more of the trust anchors in the trust bundle. These pods do not trust the
 * missing anchors. A proxy reads the trust anchors only when it starts. Therefore, these pods must restart before the
 * next step of a trust anchor rotation.
 *
 * In injected pods, an environment variable of the proxy contains the PEM text of the trust anchors. In control plane
 * pods, this variable refers to the ConfigMap (`valueFrom`), so the pod does not contain the text. For these pods, the
 * function uses the annotation `linkerd.io/trust-root-sha256`, which the chart writes (linkerd-control-plane,
 * templates; the same in all four releases). The function compares the annotation with the digest of the bundle and
 * with the digest of each anchor in the bundle.
 *
 * @param issuer the issuer's certificate, or undefined if this certificate is not known
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
  const text = String(at(trustRoots, "data", trustBundle.key));
  const single = pemBlocks(text).map((pem, index) => [digestsOf(pem), wanted[index]] as const);
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

/**
 * Returns two SHA-256 digests of a PEM text: without and with a trailing newline. For the annotation
 * `linkerd.io/trust-root-sha256`, the chart computes the digest of a chart value, which might end with a newline. The
 * text in the ConfigMap does not end with a newline.
 */
function digestsOf(pem: string): string[] {
  const text = pem.trim();
  return [text, `${text}\n`].map(sha256);
}
