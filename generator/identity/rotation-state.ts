import { parse } from "yaml";
import { mapAt } from "../kubernetes/object-fields.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, signingKeysFile } from "../spec/layout.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { type Issued, issuedAt, pairOf, skewMinutes } from "./authority.ts";
import type { SecretStore, SigningKeys } from "./files.ts";
import { type Certificate, parsePem, pemOf, signerOf } from "./pem.ts";

/**
 * Validity of a proxy's certificate in hours (linkerd2, default of the chart value `identity.issuer.issuanceLifetime`).
 */
const leafHours = 24;

/** Stage of a trust anchor rotation, determined from the certificates in the repository. */
export type Stage =
  /** The trust bundle contains one anchor, and this anchor signed the issuer: no rotation is in progress. */
  | "stable"
  /** The trust bundle contains two anchors, and the old anchor signed the issuer: step 1 is done. */
  | "anchor-added"
  /** The trust bundle contains two anchors, and the new anchor signed the issuer: step 2 is done. */
  | "issuer-rotated";

/**
 * Waiting time before the next step of a trust anchor rotation. The step can run after `opensAt`, or earlier if the
 * user has checked that `until` is true.
 */
export interface RotationWait {
  /** Earliest time of the next step. */
  readonly opensAt: Date;
  /**
   * Condition that must be true before the next step. The text is a clause that follows the word "until" in messages.
   */
  readonly until: string;
}

/** Returns the waiting time before the step that follows a stage. Returns null if the step does not have to wait. */
export function gateOf(stage: Stage, { anchors, issuer }: Pick<IdentityState, "anchors" | "issuer">): RotationWait | null {
  const wait = (leafHours * 60 + 2 * skewMinutes) * 60_000;
  if (stage === "stable") return null;
  const made = issuedAt(stage === "anchor-added" ? newest(anchors) : issuer);
  return {
    opensAt: new Date(made.getTime() + wait),
    until:
      stage === "anchor-added"
        ? "every meshed pod has restarted and trusts both trust anchors"
        : "no proxy uses a certificate from the old issuer (these certificates are valid for up to 24 hours)",
  };
}

/** The certificates and signing keys of an environment, read from its files. */
export interface IdentityState {
  readonly stage: Stage;
  readonly anchors: readonly Certificate[];
  readonly issuer: Certificate;
  /** The anchor that signed the issuer. */
  readonly signer: Certificate;
  readonly keys: SigningKeys;
}

/**
 * Returns the stage of a trust anchor rotation, determined only from the public certificates. Returns null if the
 * certificates match no stage.
 */
export function stageOf(anchors: readonly Certificate[], issuer: Certificate): Stage | null {
  const signer = signerOf(issuer, anchors);
  if (signer === undefined || anchors.length > 2) return null;
  if (anchors.length === 1) return "stable";
  return signer === newest(anchors) ? "issuer-rotated" : "anchor-added";
}

/** Returns the trust anchor that was added last. */
export function newest(anchors: readonly Certificate[]): Certificate {
  const [first, ...others] = anchors;
  if (first === undefined) throw new Error("a bundle without anchors");
  // The trust bundle lists the anchors in the order in which they were added. The function does not compare the start
  // times of the anchors, because two anchors can have the same start time.
  return others.at(-1) ?? first;
}

/**
 * Reads the certificates of an environment, and decrypts its signing keys.
 *
 * @throws UserError if a file is missing, cannot be decrypted or has the wrong content, or if the certificates match no
 * stage of a trust anchor rotation
 */
export async function readState(environment: Environment, store: SecretStore): Promise<IdentityState> {
  const anchors = parsePem(publicText(environment, store, "trustAnchors"));
  const [issuer] = parsePem(publicText(environment, store, "issuer"));
  const stage = issuer === undefined ? null : stageOf(anchors, issuer);
  const signer = signerOf(issuer, anchors);
  if (issuer === undefined || stage === null || signer === undefined)
    throw new UserError(
      exitCode.problem,
      `trust-anchors.crt and issuer.crt of ${environment.metadata.name} do not match each other, or contain the wrong number of certificates`,
      "restore trust-anchors.crt and issuer.crt from the same Git commit. trust-anchors.crt must contain one or two trust anchors. One of them must have signed the issuer",
    );
  return { anchors, issuer, stage, signer, keys: await readKeys(environment, store) };
}

async function readKeys(environment: Environment, store: SecretStore): Promise<SigningKeys> {
  const path = signingKeysFile(environment.metadata.name);
  const plain: unknown = parse(await store.decrypt(path, store.read(path) ?? missing(environment.metadata.name, path)));
  const data = mapAt(plain, "data");
  if (typeof data["trust-anchor.key"] === "string" && typeof data["webhook-ca.key"] === "string")
    return data as unknown as SigningKeys;
  throw new UserError(
    exitCode.problem,
    `${path} must contain the keys trust-anchor.key and webhook-ca.key`,
    "restore the file from Git",
  );
}

/**
 * Returns the text of a file with public certificates.
 *
 * @throws UserError (problem) if the file does not exist
 */
export function publicText({ metadata }: Environment, store: SecretStore, file: keyof typeof certificateFiles): string {
  const path = `${identityFolder(metadata.name)}/${certificateFiles[file]}`;
  return store.read(path) ?? missing(metadata.name, path);
}

function missing(environment: string, path: string): never {
  throw new UserError(
    exitCode.problem,
    `${path} is missing`,
    `restore the file from Git; if ${environment} never had an identity, run meshops identity init ${environment}`,
  );
}

/**
 * Returns a private key, and the certificate in `certificates` to which the key belongs.
 *
 * @throws UserError (problem) if the key belongs to none of the certificates
 */
export function keyPairFor(
  certificates: readonly Certificate[],
  key: string,
  file: string = certificateFiles.trustAnchors,
): Issued {
  for (const certificate of certificates) {
    const pair = key === "" ? null : pairOf(pemOf(certificate), key);
    if (pair !== null) return pair;
  }
  throw new UserError(
    exitCode.problem,
    `the private key in trust-anchor.sops.yaml does not belong to a certificate in ${file}`,
    `restore ${file} and trust-anchor.sops.yaml from the same Git commit`,
  );
}
