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

/** Certificates of a PEM text; none if there is no text or one of them is damaged. */
export function certificatesIn(text: string | null): Certificate[] {
  try {
    return parsePem(text ?? "");
  } catch {
    return [];
  }
}

const parsed = new Map<string, Certificate>();
/** Maximum number of cached certificates. Those of an environment are parsed several times in succession. */
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

/** The trust anchor that signed the issuer; undefined if none did. */
export function signingAnchor(anchors: readonly Certificate[], issuer: Certificate | undefined): Certificate | undefined {
  return issuer && anchors.find((anchor) => issuer.checkIssued(anchor) && issuer.verify(anchor.publicKey));
}

/**
 * A digest that changes whenever meshed pods must restart to stay in the mesh. It covers the trust bundle, which
 * proxies read at start only, the anchor that signed the issuer, and the proxy's version. Pod templates have it as an
 * annotation, so a change of any of the three restarts their pods.
 */
export function identityRevision(identity: Identity, proxyVersion: LinkerdVersion): string {
  const anchors = parsePem(identity.trustAnchors);
  const anchor = signingAnchor(anchors, parsePem(identity.issuer)[0]);
  const parts = [...anchors.map(fingerprint), anchor === undefined ? "" : fingerprint(anchor), proxyVersion];
  return sha256(parts.join("\n"));
}

/** SHA-256 of the issuer certificate. As a pod annotation it restarts the control plane when the issuer changes. */
export function issuerFingerprint(identity: Identity): string {
  const [issuer] = parsePem(identity.issuer);
  return issuer === undefined ? "" : fingerprint(issuer);
}
