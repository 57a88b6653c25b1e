import { parse } from "yaml";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, signingKeysFile } from "../spec/layout.ts";
import { asMap } from "../system/data.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { type Issued, madeAt, pairOf, skewMinutes } from "./authority.ts";
import type { SecretStore, SigningKeys } from "./files.ts";
import { type Certificate, parsePem, pemOf, signerOf } from "./pem.ts";

/** Lifetime of a proxy's certificate, in hours (linkerd2, `identity.issuer.issuanceLifetime`). */
const leafHours = 24;

/** Stage of a trust anchor rotation, determined from the files. */
export type Stage =
  /** One anchor, which signed the issuer. */
  | "settled"
  /** Two anchors are trusted, and the old anchor signed the issuer. */
  | "bundled"
  /** Two anchors are trusted, and the new anchor signed the issuer. */
  | "reissued";

/** Earliest time and condition of the next step of a rotation. */
export interface Gate {
  /** Earliest time of the next step. */
  readonly opensAt: Date;
  /** Condition that must be true before the next step, as a clause for messages such as `wait until …`. */
  readonly until: string;
}

/** Returns the gate of the step after a stage. Returns null if the step does not have to wait. */
export function gateOf(stage: Stage, { anchors, issuer }: Pick<IdentityState, "anchors" | "issuer">): Gate | null {
  const wait = (leafHours * 60 + 2 * skewMinutes) * 60_000;
  if (stage === "settled") return null;
  const made = madeAt(stage === "bundled" ? newest(anchors) : issuer);
  return {
    opensAt: new Date(made.getTime() + wait),
    until:
      stage === "bundled"
        ? "every meshed pod has restarted and trusts both trust anchors"
        : "no proxy uses a certificate from the old issuer (these certificates are valid for up to 24 hours)",
  };
}

/** The identity of an environment, read from its files. */
export interface IdentityState {
  readonly stage: Stage;
  readonly anchors: readonly Certificate[];
  readonly issuer: Certificate;
  /** The anchor that signed the issuer. */
  readonly signer: Certificate;
  readonly keys: SigningKeys;
}

/** Stage of a rotation, determined only from the public certificates; null if the certificates match no stage. */
export function stageOf(anchors: readonly Certificate[], issuer: Certificate): Stage | null {
  const signer = signerOf(issuer, anchors);
  if (signer === undefined || anchors.length > 2) return null;
  if (anchors.length === 1) return "settled";
  return signer === newest(anchors) ? "reissued" : "bundled";
}

/** Returns the trust anchor that was added last. */
export function newest(anchors: readonly Certificate[]): Certificate {
  const [first, ...others] = anchors;
  if (first === undefined) throw new Error("a bundle without anchors");
  // The bundle lists anchors in the order in which they were added. The start times of two anchors could be the same
  // second, so the start times do not show the order.
  return others.at(-1) ?? first;
}

/**
 * Reads the state of an identity, and decrypts the signing keys.
 *
 * @throws UserError
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
      "restore both files from the same commit; trust-anchors.crt must contain one or two trust anchors, and one of them must have signed the issuer",
    );
  return { anchors, issuer, stage, signer, keys: await readKeys(environment, store) };
}

async function readKeys(environment: Environment, store: SecretStore): Promise<SigningKeys> {
  const path = signingKeysFile(environment.metadata.name);
  const plain: unknown = parse(await store.decrypt(path, store.read(path) ?? missing(environment.metadata.name, path)));
  const data = asMap(asMap(plain)["data"]);
  if (typeof data["trust-anchor.key"] === "string" && typeof data["webhook-ca.key"] === "string")
    return data as unknown as SigningKeys;
  throw new UserError(
    exitCode.problem,
    `${path} does not contain the keys trust-anchor.key and webhook-ca.key`,
    "restore the file from Git",
  );
}

/**
 * Text of a public certificate file.
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
 * Returns the certificate that a private key belongs to, together with the key.
 *
 * @throws UserError (problem) if the key belongs to none of the certificates
 */
export function pairWith(certificates: readonly Certificate[], key: string, file: string = "trust-anchors.crt"): Issued {
  for (const certificate of certificates) {
    const pair = key === "" ? null : pairOf(pemOf(certificate), key);
    if (pair !== null) return pair;
  }
  throw new UserError(
    exitCode.problem,
    `no certificate in ${file} matches its private key in trust-anchor.sops.yaml`,
    "restore both files from the same commit",
  );
}
