import { createHash, X509Certificate } from "node:crypto";
import type { LinkerdVersion } from "../catalog/linkerd.ts";
import type { Identity } from "../model.ts";

/** The certificates of a PEM text, in order. Throws where a block is not a certificate. */
export function parsePem(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** SHA-256 of a certificate's DER form, in lower-case hexadecimal. */
export function fingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/** The trust anchor of the bundle that signed the issuer; undefined where none did. */
export function signingAnchor(identity: Identity): X509Certificate | undefined {
  const [issuer] = parsePem(identity.issuer);
  if (issuer === undefined) return undefined;
  return parsePem(identity.trustAnchors).find((anchor) => issuer.checkIssued(anchor) && issuer.verify(anchor.publicKey));
}

/**
 * A digest that changes whenever meshed pods must restart to stay in the mesh: with the trust bundle, which proxies
 * read at start only, with the anchor that signs the issuer, and with the proxy's version.
 * Pod templates carry it as an annotation, so a change of any of the three rolls them.
 */
export function identityRevision(identity: Identity, proxyVersion: LinkerdVersion): string {
  const bundle = parsePem(identity.trustAnchors).map(fingerprint);
  const anchor = signingAnchor(identity);
  const parts = [...bundle, anchor === undefined ? "" : fingerprint(anchor), proxyVersion];
  return createHash("sha256").update(parts.join("\n")).digest("hex");
}

/** SHA-256 of the issuer certificate: as a pod annotation it rolls the control plane when the issuer changes. */
export function issuerFingerprint(identity: Identity): string {
  const [issuer] = parsePem(identity.issuer);
  return issuer === undefined ? "" : fingerprint(issuer);
}
