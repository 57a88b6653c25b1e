import { parse } from "yaml";
import { asMap } from "../data.ts";
import { certificateFiles, identityFolder, overlayFolder, signingKeysFile, valuesFile } from "../emit/layout.ts";
import { fingerprint, parsePem } from "../mesh/certificates.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../user-error.ts";
import {
  type Issued,
  madeAt,
  makeIssuer,
  makeTrustAnchor,
  makeWebhookCa,
  outlives,
  pairOf,
  privateKeyPem,
  skewMinutes,
} from "./authority.ts";
import { type Changes, issuerFiles, publicFile, type SigningKeys, signingKeys, type Vault, webhookFiles } from "./files.ts";

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

export interface Step {
  readonly changes: Changes;
  /** What was done, in a line. */
  readonly done: string;
  /** What comes next. */
  readonly next: string;
}

/** A new issuer under the anchor that signed the old one. */
export async function rotateIssuer(environment: Environment, vault: Vault, now: Date): Promise<Step> {
  const { stage, signer, keys } = await read(environment, vault);
  if (stage === "bundled")
    throw new UserError(
      exitCode.problem,
      "a new trust anchor is being introduced: its next step makes a new issuer",
      `meshops identity rotate-anchor ${environment.metadata.name}`,
    );
  const names = environment.spec.linkerd.identity;
  const anchor = pairWith([signer], keys["trust-anchor.key"]);
  const issuer = makeIssuer(names, anchor, now);
  const short = outlives(anchor, now, names.issuerValidity) ? "" : ", which ends with its trust anchor: rotate that too";
  return {
    changes: new Map(await issuerFiles(environment, issuer, anchor.certificate, vault)),
    done: `a new issuer under the same trust anchor${short}`,
    next: "meshops generate, commit and push; the control plane restarts, and proxies renew their certificates within a day",
  };
}

/**
 * New server certificates for the webhooks, under their CA; Secrets that the environment needs and lacks are made. A CA that would end before they do is
 * replaced: until the next rotation the API server believes the old one too, since Secrets and `caBundle` do not change at the same moment.
 */
export async function rotateWebhooks(environment: Environment, vault: Vault, now: Date): Promise<Step> {
  const { keys } = await read(environment, vault);
  const names = environment.spec.linkerd.identity;
  const standing = pairWith(parsePem(publicText(environment, vault, "webhookCa")), keys["webhook-ca.key"], "webhook-ca.crt");
  const renew = !outlives(standing, now, names.webhookValidity);
  const ca = renew ? makeWebhookCa(names, now) : standing;
  const authorities = renew ? [ca, standing] : [ca];
  const { name } = environment.metadata;
  return {
    changes: new Map([
      ...(await webhookFiles(environment, ca, vault, now)),
      publicFile(name, "webhookCa", authorities.map(({ certificate }) => certificate).join("")),
      ...(renew ? [await signingKeys(environment, vault, { ...keys, "webhook-ca.key": privateKeyPem(ca) })] : []),
    ]),
    done: `new server certificates for the webhooks${renew ? ", under a new CA" : ""}`,
    next: "meshops generate, commit and push; the webhooks read their Secrets again by themselves",
  };
}

/**
 * The next of the three steps that bring a new trust anchor, each a commit of its own: both anchors are believed; the new one signs the issuer;
 * the old one is dropped. Between them everything that is meshed must restart, or a proxy meets a certificate that it does not believe.
 *
 * @param pastGate the caller answers for it that the gate's condition holds
 * @throws UserError (problem) where the gate is closed, or the files fit no step
 */
export async function rotateAnchor(environment: Environment, vault: Vault, now: Date, pastGate: boolean): Promise<Step> {
  const state = await read(environment, vault);
  const { name } = environment.metadata;
  if (state.stage !== "settled") refuseUnlessGenerated(environment, vault, state);
  const gate = gateOf(state.stage, state);
  if (gate !== null && !pastGate && now < gate.opensAt)
    throw new UserError(
      exitCode.problem,
      `the next step must wait until ${gate.until}: ${minutes(gate.opensAt)}`,
      "if you have seen that it is so, go on with --force; counted is from when the last step was made, so wait longer if it was pushed later",
    );
  const { anchors, keys } = state;
  switch (state.stage) {
    case "settled": {
      const next = makeTrustAnchor(environment.spec.linkerd.identity, now);
      const bundle = [...anchors.map((anchor) => `${anchor.toString().trim()}\n`), next.certificate].join("");
      return {
        changes: new Map([
          publicFile(name, "trustAnchors", bundle),
          await signingKeys(environment, vault, { ...keys, "next-trust-anchor.key": privateKeyPem(next) }),
        ]),
        done: "step 1 of 3: a second trust anchor, which all proxies come to believe",
        next: "meshops generate, commit and push; every meshed pod restarts. Then run rotate-anchor again",
      };
    }
    case "bundled": {
      const anchor = pairWith([newest(anchors)], keys["next-trust-anchor.key"] ?? "");
      const issuer = makeIssuer(environment.spec.linkerd.identity, anchor, now);
      const { "webhook-ca.key": webhookCa } = keys;
      return {
        changes: new Map([
          ...(await issuerFiles(environment, issuer, anchor.certificate, vault)),
          await signingKeys(environment, vault, { "trust-anchor.key": privateKeyPem(anchor), "webhook-ca.key": webhookCa }),
        ]),
        done: "step 2 of 3: a new issuer, signed by the new trust anchor",
        next: "meshops generate, commit and push; every meshed pod restarts and gets a certificate of the new issuer. Then run rotate-anchor again",
      };
    }
    case "reissued": {
      const anchor = pairWith([state.signer], keys["trust-anchor.key"]);
      return {
        changes: new Map([publicFile(name, "trustAnchors", anchor.certificate)]),
        done: "step 3 of 3: the old trust anchor is believed no more",
        next: "meshops generate, commit and push; the rotation is complete",
      };
    }
  }
}

/** A step that is not in the bundle yet cannot have been rolled out. Compared are PEM blocks, since line ends differ between values and files. */
function refuseUnlessGenerated({ metadata: { name } }: Environment, vault: Vault, { stage, anchors, issuer }: State): void {
  const path = `${overlayFolder(name, "linkerd-control-plane")}/${valuesFile}`;
  const values = parse(vault.read(path) ?? "{}") as { identityTrustAnchorsPEM?: string; podAnnotations?: Record<string, string> };
  const believed = parsePem(values.identityTrustAnchorsPEM ?? "").map(fingerprint);
  const bundled = JSON.stringify(believed) === JSON.stringify(anchors.map(fingerprint));
  const reissued = Object.values(values.podAnnotations ?? {}).includes(fingerprint(issuer));
  if (bundled && (stage === "bundled" || reissued)) return;
  throw new UserError(
    exitCode.problem,
    `the last step is not in the bundle: ${path} does not say it`,
    `meshops generate ${name}, commit and push`,
  );
}

/** What the step after a stage waits for; null where it need not wait. */
export function gateOf(stage: Stage, { anchors, issuer }: Pick<State, "anchors" | "issuer">): Gate | null {
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

type Certificate = ReturnType<typeof parsePem>[number];

interface State {
  readonly stage: Stage;
  readonly anchors: readonly Certificate[];
  readonly issuer: Certificate;
  /** The anchor that signed the issuer. */
  readonly signer: Certificate;
  readonly keys: SigningKeys;
}

/** Where the rotation stands, by the public files alone; null where they fit no step. */
export function stageOf(anchors: readonly Certificate[], issuer: Certificate): Stage | null {
  const signer = signerOf(anchors, issuer);
  if (signer === undefined || anchors.length > 2) return null;
  if (anchors.length === 1) return "settled";
  return signer === newest(anchors) ? "reissued" : "bundled";
}

function signerOf(anchors: readonly Certificate[], issuer: Certificate): Certificate | undefined {
  return anchors.find((anchor) => issuer.checkIssued(anchor) && issuer.verify(anchor.publicKey));
}

function newest(anchors: readonly Certificate[]): Certificate {
  const [first, ...others] = anchors;
  if (first === undefined) throw new Error("a bundle without anchors");
  // The bundle lists them in the order in which they came; times to the second could be equal.
  return others.at(-1) ?? first;
}

async function read(environment: Environment, vault: Vault): Promise<State> {
  const anchors = parsePem(publicText(environment, vault, "trustAnchors"));
  const [issuer] = parsePem(publicText(environment, vault, "issuer"));
  const stage = issuer === undefined ? null : stageOf(anchors, issuer);
  const signer = issuer === undefined ? undefined : signerOf(anchors, issuer);
  if (issuer === undefined || stage === null || signer === undefined)
    throw new UserError(
      exitCode.problem,
      `trust-anchors.crt and issuer.crt of ${environment.metadata.name} fit no step of a rotation`,
      "one or two anchors, one of which signed the issuer, are expected",
    );
  return { anchors, issuer, stage, signer, keys: await readKeys(environment, vault) };
}

async function readKeys(environment: Environment, vault: Vault): Promise<SigningKeys> {
  const path = signingKeysFile(environment.metadata.name);
  const plain: unknown = parse(await vault.decrypt(path, vault.read(path) ?? missing(environment)));
  const data = asMap(asMap(plain)["data"]);
  if (typeof data["trust-anchor.key"] === "string" && typeof data["webhook-ca.key"] === "string")
    return data as unknown as SigningKeys;
  throw new UserError(exitCode.problem, `${path} holds no keys trust-anchor.key and webhook-ca.key`, "restore the file from Git");
}

function publicText(environment: Environment, vault: Vault, file: keyof typeof certificateFiles): string {
  return vault.read(`${identityFolder(environment.metadata.name)}/${certificateFiles[file]}`) ?? missing(environment);
}

function missing(environment: Environment): never {
  const { name } = environment.metadata;
  throw new UserError(exitCode.problem, `${name} has no identity yet`, `meshops identity init ${name}`);
}

/** The certificate that a key belongs to, with it. */
function pairWith(certificates: readonly Certificate[], key: string, file: string = "trust-anchors.crt"): Issued {
  for (const certificate of certificates) {
    const pair = key === "" ? null : pairOf(`${certificate.toString().trim()}\n`, key);
    if (pair !== null) return pair;
  }
  throw new UserError(
    exitCode.problem,
    `the key in trust-anchor.sops.yaml belongs to none of the certificates of ${file} that it should`,
    "restore both files from the same commit",
  );
}

function minutes(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
