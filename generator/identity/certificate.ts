import { createHash, type KeyObject, randomBytes, sign, type X509Certificate } from "node:crypto";
import forge from "node-forge";

/** The name and the private key of the CA that signs a certificate. */
export interface Authority {
  /**
   * Subject of the CA's own certificate in DER. The bytes must be the same as in that certificate, because programs
   * that verify certificates compare the bytes.
   */
  readonly subject: Buffer;
  /** Subject key identifier of the CA's own certificate. Null if this certificate has no subject key identifier. */
  readonly keyIdentifier: Buffer | null;
  readonly privateKey: KeyObject;
}

/** Content of a certificate to issue. */
export interface Request {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /**
   * Set if the certificate is the certificate of a CA. `pathLength` is the maximum number of CA certificates below this
   * certificate in a chain. Null means no limit.
   */
  readonly authority?: { readonly pathLength: number | null };
  /** DNS names of the server. */
  readonly dnsNames?: readonly string[];
}

const { asn1 } = forge;
const { Class, Type, create, oidToDer, toDer, integerToDer } = asn1;
type Asn1 = forge.asn1.Asn1;

const oid = {
  commonName: "2.5.4.3",
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

/**
 * Issues an X.509 certificate (RFC 5280) for an ECDSA P-256 key. The signer signs the certificate with ECDSA and
 * SHA-256. For a self-signed certificate, the signer has the private key that belongs to the certificate.
 *
 * @returns PEM with a trailing newline
 */
export function issueCertificate(request: Request, signer: Authority): string {
  const body = toBeSigned(request, signer);
  const signature = sign("sha256", Buffer.from(toDer(body).getBytes(), "binary"), { key: signer.privateKey, dsaEncoding: "der" });
  const certificate = sequence(body, signatureAlgorithm(), bitString(signature));
  return pem(Buffer.from(toDer(certificate).getBytes(), "binary"));
}

function toBeSigned(request: Request, signer: Authority): Asn1 {
  // The serial number has 128 bits. The first two bits are 01, because a serial number must be positive (RFC 5280,
  // 4.1.2.2). All other bits are random.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return sequence(
    create(Class.CONTEXT_SPECIFIC, 0, true, [create(Class.UNIVERSAL, Type.INTEGER, false, integerToDer(2).getBytes())]),
    create(Class.UNIVERSAL, Type.INTEGER, false, serial.toString("binary")),
    signatureAlgorithm(),
    asn1.fromDer(signer.subject.toString("binary")),
    sequence(time(request.notBefore), time(request.notAfter)),
    name(request.commonName),
    asn1.fromDer(request.publicKey.export({ type: "spki", format: "der" }).toString("binary")),
    create(Class.CONTEXT_SPECIFIC, 3, true, [sequence(...extensions(request, signer))]),
  );
}

function extensions({ publicKey, authority, dnsNames = [] }: Request, signer: Authority): Asn1[] {
  const isAuthority = authority !== undefined;
  const constraints = isAuthority
    ? sequence(boolean(true), ...(authority.pathLength === null ? [] : [integer(authority.pathLength)]))
    : sequence();
  // The first byte is the number of unused bits at the end of the second byte. The second byte contains the key usages.
  // Counted from the left, bit 0 is digitalSignature, bit 5 is keyCertSign, and bit 6 is cRLSign.
  const usage = create(Class.UNIVERSAL, Type.BITSTRING, false, isAuthority ? "\x01\x06" : "\x07\x80");
  const signedBy = signer.keyIdentifier?.toString("binary");
  return [
    extension(oid.basicConstraints, true, constraints),
    extension(oid.keyUsage, true, usage),
    extension(oid.subjectKeyIdentifier, false, create(Class.UNIVERSAL, Type.OCTETSTRING, false, identifier(publicKey))),
    ...(signedBy === undefined
      ? []
      : [extension(oid.authorityKeyIdentifier, false, sequence(create(Class.CONTEXT_SPECIFIC, 0, false, signedBy)))]),
    ...(isAuthority ? [] : [extension(oid.extendedKeyUsage, false, sequence(objectId(oid.serverAuth)))]),
    ...(dnsNames.length === 0
      ? []
      : [
          extension(oid.subjectAltName, false, sequence(...dnsNames.map((dns) => create(Class.CONTEXT_SPECIFIC, 2, false, dns)))),
        ]),
  ];
}

/**
 * Subject key identifier: the SHA-1 hash of the public key (RFC 5280, 4.2.1.2, method 1). The hash only identifies the
 * key. The security of the certificate does not depend on SHA-1.
 */
function identifier(key: KeyObject): string {
  // In DER, the last 65 bytes of the public key are the point on the curve, which is hashed. Do not export the key as a
  // JWK to get the point, because Node 20 can deadlock during this export: Node locks the key's mutex and then
  // allocates memory. If the allocation starts the garbage collector, the collector can delete the job that generated
  // the key. To delete the job, the collector locks the same mutex (node, src/crypto/crypto_ec.cc, ExportJWKEcKey).
  const point = key.export({ type: "spki", format: "der" }).subarray(-65);
  return createHash("sha1").update(point).digest("binary");
}

/**
 * Returns the subject of a certificate in DER. The subject is always the sixth field, after version, serial number,
 * algorithm, issuer and validity (RFC 5280, 4.1).
 */
export function subjectOf(certificate: X509Certificate): Buffer {
  const [body] = asn1.fromDer(certificate.raw.toString("binary")).value as Asn1[];
  const [, , , , , subject] = (body?.value ?? []) as Asn1[];
  if (subject === undefined) throw new Error("a certificate without a subject");
  return bytesOf(subject);
}

/**
 * Returns the subject key identifier of a certificate. Returns null if the certificate has no subject key identifier.
 * If the certificate belongs to a CA, certificates that the CA signs must contain exactly this identifier. The
 * identifier must not be computed from the key of the CA, because two certificates with the same key can have different
 * identifiers (RFC 5280, 4.2.1.1).
 */
export function keyIdentifierOf(certificate: X509Certificate): Buffer | null {
  const [body] = asn1.fromDer(certificate.raw.toString("binary")).value as Asn1[];
  const fields = (body?.value ?? []) as Asn1[];
  const list = fields.find(({ tagClass, type }) => tagClass === Class.CONTEXT_SPECIFIC && Number(type) === 3)?.value as
    | Asn1[]
    | undefined;
  for (const { value } of (list?.[0]?.value ?? []) as Asn1[]) {
    const parts = value as Asn1[];
    if (asn1.derToOid(String(parts[0]?.value)) === oid.subjectKeyIdentifier)
      return Buffer.from(String(asn1.fromDer(String(parts.at(-1)?.value)).value), "binary");
  }
  return null;
}

/** Returns the subject key identifier that meshops writes to certificates for a key. */
export function identifierOf(key: KeyObject): Buffer {
  return Buffer.from(identifier(key), "binary");
}

/** Returns a subject that consists only of a common name, in DER. */
export function distinguishedName(commonName: string): Buffer {
  return bytesOf(name(commonName));
}

function bytesOf(value: Asn1): Buffer {
  return Buffer.from(toDer(value).getBytes(), "binary");
}

/** Returns a UTCTime for dates before 2050, and a GeneralizedTime for later dates (RFC 5280, 4.1.2.5). */
function time(date: Date): Asn1 {
  const type = date.getUTCFullYear() < 2050 ? Type.UTCTIME : Type.GENERALIZEDTIME;
  const text = type === Type.UTCTIME ? asn1.dateToUtcTime(date) : asn1.dateToGeneralizedTime(date);
  return create(Class.UNIVERSAL, type, false, text);
}

function name(commonName: string): Asn1 {
  const value = create(Class.UNIVERSAL, Type.UTF8, false, Buffer.from(commonName).toString("binary"));
  return sequence(create(Class.UNIVERSAL, Type.SET, true, [sequence(objectId(oid.commonName), value)]));
}

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  const octets = create(Class.UNIVERSAL, Type.OCTETSTRING, false, toDer(value).getBytes());
  return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octets);
}

function signatureAlgorithm(): Asn1 {
  return sequence(objectId(oid.ecdsaWithSha256));
}

function sequence(...items: readonly Asn1[]): Asn1 {
  return create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
}

function objectId(id: string): Asn1 {
  return create(Class.UNIVERSAL, Type.OID, false, oidToDer(id).getBytes());
}

function boolean(value: boolean): Asn1 {
  return create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? "\xff" : "\x00");
}

function integer(value: number): Asn1 {
  return create(Class.UNIVERSAL, Type.INTEGER, false, integerToDer(value).getBytes());
}

function bitString(bytes: Buffer): Asn1 {
  return create(Class.UNIVERSAL, Type.BITSTRING, false, `\x00${bytes.toString("binary")}`);
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
