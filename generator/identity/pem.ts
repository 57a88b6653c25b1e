import { X509Certificate } from "node:crypto";
import type { LinkerdVersion } from "../catalog/linkerd.ts";
import { sha256 } from "../system/hash.ts";
import type { Identity } from "./identity.ts";

export type Certificate = X509Certificate;

/**
 * Parses the certificates of a PEM text, in order.
 *
 * @throws Error if a block is not a certificate
 */
export function parsePem(text: string): Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map(certificateOf);
}

/** Certificates in a PEM text; empty if the text is null or if one of the certificates is damaged. */
export function certificatesIn(text: string | null): Certificate[] {
  try {
    return parsePem(text ?? "");
  } catch {
    return [];
  }
}

const parsed = new Map<string, Certificate>();
/** Maximum number of cached certificates. The certificates of an environment are parsed several times in succession. */
const maxParsed = 100;

function certificateOf(block: string): Certificate {
  const known = parsed.get(block);
  if (known !== undefined) return known;
  if (parsed.size >= maxParsed) parsed.clear();
  const certificate = new X509Certificate(block);
  parsed.set(block, certificate);
  return certificate;
}

/** A certificate as PEM with a trailing newline. */
export function pemOf(certificate: Certificate): string {
  return `${certificate.toString().trim()}\n`;
}

/** SHA-256 of a certificate's DER form, in lower-case hexadecimal. */
export function fingerprint(certificate: Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/** The certificate authority that signed a certificate; undefined if none of the authorities signed it. */
export function signerOf(
  certificate: Pick<Certificate, "checkIssued" | "verify"> | undefined,
  authorities: readonly Certificate[],
): Certificate | undefined {
  return (
    certificate && authorities.find((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
  );
}

/**
 * Returns a digest that changes whenever meshed pods must restart to stay in the mesh. The digest depends on everything
 * that proxies read only when they start: the trust bundle, the trust domain, the cluster domain, IPv6, and the proxy's
 * version. It also depends on the anchor that signed the issuer. Pod templates have the digest as an annotation, so a
 * new digest restarts the pods. Settings with their default value are not part of the digest. Therefore, an environment
 * without other settings has the same digest as in meshops 0.1.
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

/** SHA-256 of the proxy settings, for environments whose certificates are not in the repository. */
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
 * SHA-256 of the issuer certificate. The control plane's pods have this value as an annotation, so that they restart
 * when the issuer changes.
 */
export function issuerFingerprint(identity: Identity): string {
  const [issuer] = parsePem(identity.issuer);
  return issuer === undefined ? "" : fingerprint(issuer);
}
