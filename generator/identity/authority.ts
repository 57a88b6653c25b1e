import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { toHours } from "../spec/duration.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { type Authority, distinguishedName, identifierOf, issueCertificate, keyIdentifierOf, subjectOf } from "./certificate.ts";

/** A certificate, and the private key that belongs to it. */
export interface Issued {
  /** PEM with a trailing newline. */
  readonly certificate: string;
  readonly key: KeyObject;
}

/**
 * Number of minutes by which the validity of a certificate starts before the time at which meshops issues the
 * certificate. The validity starts earlier, because the clocks of a cluster's nodes can differ.
 */
export const skewMinutes = 5;

/** Returns the time at which meshops issued a certificate: `skewMinutes` after the start of its validity. */
export function issuedAt(certificate: X509Certificate): Date {
  return new Date(new Date(certificate.validFrom).getTime() + skewMinutes * 60_000);
}

type Names = Pick<
  Environment["spec"]["linkerd"]["identity"],
  "trustDomain" | "anchorValidity" | "issuerValidity" | "webhookValidity"
>;

/**
 * Creates a trust anchor, which is a self-signed CA that all proxies trust. By default, its common name is
 * `root.linkerd.cluster.local`, as in Linkerd's docs.
 */
export function makeTrustAnchor({ trustDomain, anchorValidity }: Names, now: Date): Issued {
  return selfSigned(`root.linkerd.${trustDomain}`, null, anchorValidity, now);
}

/**
 * Creates the self-signed CA that signs the server certificates of the webhooks. The API server trusts this CA, because
 * the field `caBundle` of the webhook configurations contains the certificate of the CA.
 */
export function makeWebhookCa({ anchorValidity }: Names, now: Date): Issued {
  return selfSigned("webhooks.linkerd.cluster.local", 0, anchorValidity, now);
}

/**
 * Creates an issuer. Linkerd's identity service signs the certificates of the proxies with the issuer's private key.
 * The issuer cannot sign other CAs (path length 0), and does not expire later than the trust anchor that signs the
 * issuer.
 *
 * @throws UserError (problem) if the anchor has expired
 */
export function makeIssuer({ trustDomain, issuerValidity }: Names, anchor: Issued, now: Date): Issued {
  const pair = newKeys();
  const notAfter = clampToExpiry(anchor, after(now, issuerValidity), now, "trust anchor");
  const request = {
    ...pair,
    commonName: `identity.linkerd.${trustDomain}`,
    notBefore: before(now),
    notAfter,
    authority: { pathLength: 0 },
  };
  return { certificate: issueCertificate(request, authorityOf(anchor)), key: pair.privateKey };
}

/**
 * Creates a webhook's server certificate for the DNS name that the API server uses to call the webhook. The certificate
 * does not expire later than its CA.
 *
 * @throws UserError (problem) if the CA has expired
 */
export function makeServerCertificate(dnsName: string, { webhookValidity }: Names, ca: Issued, now: Date): Issued {
  const pair = newKeys();
  const notAfter = clampToExpiry(ca, after(now, webhookValidity), now, "webhook CA");
  const request = { ...pair, commonName: dnsName, dnsNames: [dnsName], notBefore: before(now), notAfter };
  return { certificate: issueCertificate(request, authorityOf(ca)), key: pair.privateKey };
}

/** Returns the given date or the expiry date of the CA, whichever is earlier. */
function clampToExpiry({ certificate }: Issued, wanted: Date, now: Date, what: string): Date {
  const end = expiry(certificate);
  if (end > now) return end < wanted ? end : wanted;
  throw new UserError(
    exitCode.problem,
    `the ${what} expired on ${end.toISOString().slice(0, 10)}`,
    "run meshops identity init --force to create new certificates and keys; run meshops generate, commit and push; as soon as the cluster has the new certificates, restart all meshed pods at the same time",
  );
}

/** Whether a certificate that is issued now with the given validity expires no later than the CA. */
export function coversValidity({ certificate }: Issued, now: Date, validity: string): boolean {
  return expiry(certificate) >= after(now, validity);
}

function expiry(certificate: string): Date {
  return new Date(new X509Certificate(certificate).validTo);
}

/** Parses a certificate and a private key from PEM. Returns null if the key does not belong to the certificate. */
export function pairOf(certificate: string, key: string): Issued | null {
  const privateKey = createPrivateKey(key);
  const [own, certified] = [createPublicKey(privateKey), new X509Certificate(certificate).publicKey];
  return own.equals(certified) ? { certificate, key: privateKey } : null;
}

/**
 * Returns a private key as PEM with a trailing newline.
 *
 * @param form PEM form. `keyReaders` lists the forms that each program accepts
 */
export function privateKeyPem({ key }: Issued, form: "PKCS#8" | "SEC1" = "SEC1"): string {
  return key.export({ type: form === "PKCS#8" ? "pkcs8" : "sec1", format: "pem" }).toString();
}

function selfSigned(commonName: string, pathLength: number | null, validity: string, now: Date): Issued {
  const pair = newKeys();
  const request = { ...pair, commonName, notBefore: before(now), notAfter: after(now, validity), authority: { pathLength } };
  return {
    certificate: issueCertificate(request, {
      ...pair,
      subject: distinguishedName(commonName),
      keyIdentifier: identifierOf(pair.publicKey),
    }),
    key: pair.privateKey,
  };
}

function authorityOf({ certificate, key }: Issued): Authority {
  const own = new X509Certificate(certificate);
  return { subject: subjectOf(own), keyIdentifier: keyIdentifierOf(own), privateKey: key };
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "prime256v1" });
}

function before(now: Date): Date {
  return new Date(now.getTime() - skewMinutes * 60_000);
}

function after(now: Date, validity: string): Date {
  return new Date(now.getTime() + toHours(validity) * 3_600_000);
}
