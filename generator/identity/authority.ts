import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { toHours } from "../spec/duration.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { type Authority, identifierOf, issueCertificate, keyIdentifierOf, nameOf, subjectOf } from "./certificate.ts";

/** A certificate and the key to it. */
export interface Issued {
  /** PEM with a line end. */
  readonly certificate: string;
  readonly key: KeyObject;
}

/** Minutes that a certificate is valid before it is made: clocks of a cluster differ. */
export const skewMinutes = 5;

/** When a certificate was made. */
export function madeAt(certificate: X509Certificate): Date {
  return new Date(new Date(certificate.validFrom).getTime() + skewMinutes * 60_000);
}

type Names = Environment["spec"]["linkerd"]["identity"];

/** The trust anchor: what all proxies believe (CN `root.linkerd.cluster.local`, as Linkerd's docs name it). */
export function makeTrustAnchor({ trustDomain, anchorValidity }: Names, now: Date): Issued {
  return selfSigned(`root.linkerd.${trustDomain}`, null, anchorValidity, now);
}

/** The CA of the webhooks' server certificates; the API server believes it by `caBundle`. */
export function makeWebhookCa({ anchorValidity }: Names, now: Date): Issued {
  return selfSigned("webhooks.linkerd.cluster.local", 0, anchorValidity, now);
}

/**
 * The issuer: Linkerd's identity service signs the proxies' certificates with it. It signs no further authorities (path length 0),
 * and never outlives the anchor that signs it.
 *
 * @throws UserError (problem) where the anchor has expired
 */
export function makeIssuer({ trustDomain, issuerValidity }: Names, anchor: Issued, now: Date): Issued {
  const pair = newKeys();
  const notAfter = within(anchor, after(now, issuerValidity), now, "trust anchor");
  const request = {
    ...pair,
    commonName: `identity.linkerd.${trustDomain}`,
    notBefore: before(now),
    notAfter,
    authority: { pathLength: 0 },
  };
  return { certificate: issueCertificate(request, authorityOf(anchor)), key: pair.privateKey };
}

/** A webhook's server certificate, for the name by which the API server calls it. It never outlives its CA. */
export function makeServerCertificate(dnsName: string, { webhookValidity }: Names, ca: Issued, now: Date): Issued {
  const pair = newKeys();
  const notAfter = within(ca, after(now, webhookValidity), now, "webhook CA");
  const request = { ...pair, commonName: dnsName, dnsNames: [dnsName], notBefore: before(now), notAfter };
  return { certificate: issueCertificate(request, authorityOf(ca)), key: pair.privateKey };
}

/** The date, or the end of the authority where that comes first. */
function within({ certificate }: Issued, wanted: Date, now: Date, what: string): Date {
  const end = expiry(certificate);
  if (end > now) return end < wanted ? end : wanted;
  throw new UserError(
    exitCode.problem,
    `the ${what} expired on ${end.toISOString().slice(0, 10)}`,
    "meshops identity init --force makes a new identity; all that is meshed must then restart at once",
  );
}

/** Whether an authority lives long enough for what it is to sign. */
export function outlives({ certificate }: Issued, now: Date, validity: string): boolean {
  return expiry(certificate) >= after(now, validity);
}

function expiry(certificate: string): Date {
  return new Date(new X509Certificate(certificate).validTo);
}

/** A certificate with its key read from PEM; null where the key is another's. */
export function pairOf(certificate: string, key: string): Issued | null {
  const privateKey = createPrivateKey(key);
  const [own, certified] = [createPublicKey(privateKey), new X509Certificate(certificate).publicKey];
  return own.equals(certified) ? { certificate, key: privateKey } : null;
}

/** Private key as PEM with a trailing newline. @param form see `keyReaders` for the form that a consumer needs */
export function privateKeyPem({ key }: Issued, form: "PKCS#8" | "SEC1" = "SEC1"): string {
  return key.export({ type: form === "PKCS#8" ? "pkcs8" : "sec1", format: "pem" }).toString();
}

function selfSigned(commonName: string, pathLength: number | null, validity: string, now: Date): Issued {
  const pair = newKeys();
  const request = { ...pair, commonName, notBefore: before(now), notAfter: after(now, validity), authority: { pathLength } };
  return {
    certificate: issueCertificate(request, { ...pair, subject: nameOf(commonName), keyIdentifier: identifierOf(pair.publicKey) }),
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
