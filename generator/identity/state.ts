import { parse } from "yaml";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles, identityFolder, signingKeysFile } from "../spec/layout.ts";
import { asMap } from "../system/data.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { type Issued, madeAt, pairOf, skewMinutes } from "./authority.ts";
import type { SecretStore, SigningKeys } from "./files.ts";
import { type Certificate, parsePem, pemOf, signingAnchor } from "./pem.ts";

/** Longest that a proxy's certificate of the old issuer lives (linkerd2, `identity.issuer.issuanceLifetime`: 24 h). */
const leafHours = 24;

/** Where the rotation of an anchor stands, as the files tell. */
export type Stage =
  /** One anchor, which signed the issuer. */
  | "settled"
  /** Two anchors are believed, and the old one still signs. */
  | "bundled"
  /** Two anchors are believed, and the new one signed the issuer. */
  | "reissued";

/** What the next step of a rotation waits for. */
export interface Gate {
  readonly opensAt: Date;
  /** What must have happened by then. */
  readonly until: string;
}

/** What the step after a stage waits for; null where it need not wait. */
export function gateOf(stage: Stage, { anchors, issuer }: Pick<IdentityState, "anchors" | "issuer">): Gate | null {
  const wait = (leafHours * 60 + 2 * skewMinutes) * 60_000;
  if (stage === "settled") return null;
  const made = madeAt(stage === "bundled" ? newest(anchors) : issuer);
  return {
    opensAt: new Date(made.getTime() + wait),
    until:
      stage === "bundled"
        ? "every meshed pod has restarted with both trust anchors"
        : "no proxy holds a certificate of the old issuer any more (it lives up to 24 hours)",
  };
}

/** The identity of an environment, as its files have it. */
export interface IdentityState {
  readonly stage: Stage;
  readonly anchors: readonly Certificate[];
  readonly issuer: Certificate;
  /** The anchor that signed the issuer. */
  readonly signer: Certificate;
  readonly keys: SigningKeys;
}

/** Where the rotation stands, by the public files alone; null where they fit no step. */
export function stageOf(anchors: readonly Certificate[], issuer: Certificate): Stage | null {
  const signer = signingAnchor(anchors, issuer);
  if (signer === undefined || anchors.length > 2) return null;
  if (anchors.length === 1) return "settled";
  return signer === newest(anchors) ? "reissued" : "bundled";
}

/** The anchor that came last. */
export function newest(anchors: readonly Certificate[]): Certificate {
  const [first, ...others] = anchors;
  if (first === undefined) throw new Error("a bundle without anchors");
  // The bundle lists them in the order in which they came; times to the second could be equal.
  return others.at(-1) ?? first;
}

/**
 * Reads where an identity stands, and opens the keys that sign.
 *
 * @throws UserError
 */
export async function readState(environment: Environment, store: SecretStore): Promise<IdentityState> {
  const anchors = parsePem(publicText(environment, store, "trustAnchors"));
  const [issuer] = parsePem(publicText(environment, store, "issuer"));
  const stage = issuer === undefined ? null : stageOf(anchors, issuer);
  const signer = signingAnchor(anchors, issuer);
  if (issuer === undefined || stage === null || signer === undefined)
    throw new UserError(
      exitCode.problem,
      `trust-anchors.crt and issuer.crt of ${environment.metadata.name} fit no step of a rotation`,
      "one or two anchors, one of which signed the issuer, are expected",
    );
  return { anchors, issuer, stage, signer, keys: await readKeys(environment, store) };
}

async function readKeys(environment: Environment, store: SecretStore): Promise<SigningKeys> {
  const path = signingKeysFile(environment.metadata.name);
  const plain: unknown = parse(await store.decrypt(path, store.read(path) ?? missing(environment.metadata.name, path)));
  const data = asMap(asMap(plain)["data"]);
  if (typeof data["trust-anchor.key"] === "string" && typeof data["webhook-ca.key"] === "string")
    return data as unknown as SigningKeys;
  throw new UserError(exitCode.problem, `${path} holds no keys trust-anchor.key and webhook-ca.key`, "restore the file from Git");
}

/** The text of a public file. */
export function publicText({ metadata }: Environment, store: SecretStore, file: keyof typeof certificateFiles): string {
  const path = `${identityFolder(metadata.name)}/${certificateFiles[file]}`;
  return store.read(path) ?? missing(metadata.name, path);
}

function missing(environment: string, path: string): never {
  throw new UserError(
    exitCode.problem,
    `${path} is missing`,
    `restore it from Git, or if ${environment} never had an identity: meshops identity init ${environment}`,
  );
}

/** The certificate that a key belongs to, with it. */
export function pairWith(certificates: readonly Certificate[], key: string, file: string = "trust-anchors.crt"): Issued {
  for (const certificate of certificates) {
    const pair = key === "" ? null : pairOf(pemOf(certificate), key);
    if (pair !== null) return pair;
  }
  throw new UserError(
    exitCode.problem,
    `the key in trust-anchor.sops.yaml belongs to none of the certificates of ${file} that it should`,
    "restore both files from the same commit",
  );
}
