import { secretNames } from "../catalog/well-known.ts";
import { webhooksOf } from "../mesh/webhooks.ts";
import { inspectFile } from "../sops/inspect.ts";
import { otherServices } from "../sops/metadata.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, secretFile, signingKeysFile } from "../spec/layout.ts";
import { hasExternalIdentity } from "../spec/ownership.ts";
import { serverName } from "./files.ts";
import { type Certificate, certificatesIn, fingerprint } from "./pem.ts";
import { gateOf, stageOf } from "./rotation-state.ts";

/** A certificate of an environment's identity, as `meshops identity status` reports it. */
export interface CertificateStatus {
  readonly environment: string;
  readonly name: string;
  readonly subject: string;
  /** RFC 3339, in UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Whole days until the certificate expires. Negative if the certificate has expired. */
  readonly daysLeft: number;
  /** SHA-256 of the certificate, in lower-case hexadecimal. */
  readonly sha256: string;
  /**
   * Recipients that can decrypt the file with the certificate's private key. An entry is an age recipient or the name
   * of another key service.
   */
  readonly recipients: readonly string[];
}

export interface EnvironmentStatus {
  readonly certificates: readonly CertificateStatus[];
  /** Names of the missing or damaged certificates that the environment needs. */
  readonly missing: readonly string[];
  /** Text that describes the state of a trust anchor rotation. Null if no rotation is in progress. */
  readonly rotation: string | null;
}

/**
 * Returns the status of an environment's identity, determined from the files in the repository. Never decrypts a file.
 * If a file is missing, the result is the same as for a file without certificates. If another program issues the
 * certificates (see `hasExternalIdentity`), the result contains no certificates.
 *
 * @param read returns the text of a file, or null if the file does not exist
 */
export function identityStatus(environment: Environment, read: (path: string) => string | null, now: Date): EnvironmentStatus {
  if (hasExternalIdentity(environment)) return { certificates: [], missing: [], rotation: null };
  const { name } = environment.metadata;
  const certificates = (file: keyof typeof certificateFiles): Certificate[] =>
    certificatesIn(read(`${identityFolder(name)}/${certificateFiles[file]}`));
  const recipients = (path: string): string[] => readersOf(read(path));
  const row =
    (label: string, keyFile: string) =>
    (certificate: Certificate): CertificateStatus => ({
      environment: name,
      name: label,
      subject: certificate.subject,
      notBefore: rfc3339(certificate.validFrom),
      notAfter: rfc3339(certificate.validTo),
      daysLeft: Math.floor((new Date(certificate.validTo).getTime() - now.getTime()) / 86_400_000),
      sha256: fingerprint(certificate),
      recipients: recipients(keyFile),
    });
  const anchors = certificates("trustAnchors");
  const issuers = certificates("issuer");
  const [issuer] = issuers;
  const bySubject = new Map(certificates("webhooks").map((certificate) => [certificate.subject, certificate]));
  const webhooks = webhooksOf(environment).flatMap((webhook) => {
    const certificate = bySubject.get(`CN=${serverName(webhook)}`);
    return certificate === undefined ? [] : [row(webhook.service, secretFile(name, webhook.secret))(certificate)];
  });
  const present = [
    ...anchors.map(row("trust-anchor", signingKeysFile(name))),
    ...issuers.map(row("issuer", secretFile(name, secretNames.issuer))),
    // The first CA in the file signs the server certificates. The other CAs in the file are older. The API server
    // trusts the older CAs until these CAs expire.
    ...certificates("webhookCa")
      .slice(0, 1)
      .map(row("webhook-ca", signingKeysFile(name))),
    ...webhooks,
  ];
  const expected = ["trust-anchor", "issuer", "webhook-ca", ...webhooksOf(environment).map(({ service }) => service)];
  return {
    certificates: present,
    missing: expected.filter((label) => !present.some((certificate) => certificate.name === label)),
    rotation: issuer === undefined ? null : rotationOf(anchors, issuer),
  };
}

function rotationOf(anchors: Certificate[], issuer: Certificate): string | null {
  const stage = stageOf(anchors, issuer);
  if (stage === null || stage === "stable") return null;
  const gate = gateOf(stage, { anchors, issuer });
  const done = stage === "anchor-added" ? "step 1 of 3 is done" : "step 2 of 3 is done";
  return `trust anchor rotation in progress: ${done}. Do not run the next step before ${gate?.opensAt.toISOString().slice(0, 16)}Z. Wait until ${gate?.until}`;
}

function readersOf(text: string | null): string[] {
  if (text === null) return [];
  try {
    const metadata = inspectFile(text);
    return [...metadata.age.map(({ recipient }) => recipient), ...otherServices(metadata)];
  } catch {
    return [];
  }
}

function rfc3339(text: string): string {
  return `${new Date(text).toISOString().slice(0, 19)}Z`;
}
