import { X509Certificate } from "node:crypto";
import type { LinkerdVersion } from "../catalog/linkerd.ts";
import { sha256 } from "../system/hash.ts";
import type { Identity } from "./identity.ts";

export type Certificate = X509Certificate;

/**
 * Returns the certificates in a PEM text, in the order of the text. Ignores all other content of the text.
 *
 * @throws Error if a `CERTIFICATE` block does not contain a valid certificate
 */
export function parsePem(text: string): Certificate[] {
  const blocks = pemBlocks(text);
  return blocks.map(certificateOf);
}

/**
 * Returns the certificates in a PEM text. Returns an empty list if the text is null, or if one of the certificates is
 * damaged.
 */
export function certificatesIn(text: string | null): Certificate[] {
  try {
    return parsePem(text ?? "");
  } catch {
    return [];
  }
}

const parsed = new Map<string, Certificate>();
/**
 * Maximum number of cached certificates. The cache is useful because one run parses the certificates of an environment
 * several times.
 */
const maxParsed = 100;

function certificateOf(block: string): Certificate {
  const known = parsed.get(block);
  if (known !== undefined) return known;
  if (parsed.size >= maxParsed) parsed.clear();
  const certificate = new X509Certificate(block);
  parsed.set(block, certificate);
  return certificate;
}

/** Returns a certificate as PEM with a trailing newline. */
export function pemOf(certificate: Certificate): string {
  return `${certificate.toString().trim()}\n`;
}

/** Returns the SHA-256 hash of a certificate in DER, in lower-case hexadecimal. */
export function fingerprint(certificate: Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/**
 * Returns the certificate authority that signed a certificate. Returns undefined if none of the given authorities
 * signed the certificate, or if the certificate is undefined.
 */
export function signerOf(
  certificate: Pick<Certificate, "checkIssued" | "verify"> | undefined,
  authorities: readonly Certificate[],
): Certificate | undefined {
  return (
    certificate && authorities.find((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
  );
}

/**
 * Returns a digest of certificates and settings. If the digest changes, all meshed pods must restart. The digest
 * depends on everything that a proxy reads only when it starts: the trust bundle, the trust domain, the cluster domain,
 * IPv6, and the version of the proxy. The digest also depends on the trust anchor that signed the issuer. meshops
 * writes the digest to an annotation of pod templates, so Kubernetes restarts the pods if the digest changes. The
 * digest does not include settings that have their default value. If all settings have their default value, the digest
 * is therefore the same as in meshops 0.1.
 */
export function identityRevision(identity: Identity, proxy: ProxySettings): string {
  const anchors = parsePem(identity.trustAnchors);
  const anchor = signerOf(parsePem(identity.issuer)[0], anchors);
  const parts = [
    ...anchors.map(fingerprint),
    anchor === undefined ? "" : fingerprint(anchor),
    proxy.version,
    ...settingsOf(proxy),
  ];
  return sha256(parts.join("\n"));
}

/**
 * Returns a digest of the proxy settings. If the certificates of an environment are not in the repository, meshops uses
 * this digest instead of the digest that `identityRevision` returns.
 */
export function settingsRevision(proxy: ProxySettings): string {
  return sha256([proxy.version, ...settingsOf(proxy)].join("\n"));
}

/** Settings that a proxy reads only when it starts (linkerd2, pkg/inject, the proxy's environment variables). */
export interface ProxySettings {
  readonly version: LinkerdVersion;
  readonly trustDomain: string;
  readonly clusterDomain: string;
  readonly ipv6: boolean;
}

function settingsOf({ trustDomain, clusterDomain, ipv6 }: ProxySettings): string[] {
  return [
    ...(trustDomain === "cluster.local" ? [] : [`trust-domain=${trustDomain}`]),
    ...(clusterDomain === "cluster.local" ? [] : [`cluster-domain=${clusterDomain}`]),
    ...(ipv6 ? ["ipv6"] : []),
  ];
}

/**
 * Returns the fingerprint of the issuer certificate, or an empty string if the identity contains no issuer. meshops
 * writes the fingerprint to an annotation of the control plane's pod templates, so these pods restart if the issuer
 * changes.
 */
export function issuerFingerprint(identity: Identity): string {
  const [issuer] = parsePem(identity.issuer);
  return issuer === undefined ? "" : fingerprint(issuer);
}

/** Returns the PEM blocks of the certificates in a text, without changes. */
export function pemBlocks(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
}
