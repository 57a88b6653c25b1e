import { X509Certificate } from "node:crypto";
import type { Environment } from "../spec/environment.generated.ts";
import { certificateFiles } from "../spec/layout.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { coversValidity, makeIssuer, makeWebhookCa, privateKeyPem } from "./authority.ts";
import { type Changes, issuerFiles, publicFile, type SecretStore, signingKeys, webhookFiles } from "./files.ts";
import { fingerprint, parsePem, pemOf } from "./pem.ts";
import { keyPairFor, publicText, readState } from "./rotation-state.ts";

/** Result of a rotation: the files to write, and the texts to print. The caller writes the files. */
export interface RotationStep {
  readonly changes: Changes;
  /** Summary of the change, in one line. */
  readonly done: string;
  /** Instructions for the next step. */
  readonly next: string;
}

/**
 * Creates a new issuer, signed by the trust anchor that signed the old issuer.
 *
 * @throws UserError (problem) if step 1 of a trust anchor rotation is done but step 2 is not, because step 2 creates
 * the new issuer
 */
export async function rotateIssuer(environment: Environment, store: SecretStore, now: Date): Promise<RotationStep> {
  const { stage, signer, keys } = await readState(environment, store);
  if (stage === "anchor-added")
    throw new UserError(
      exitCode.problem,
      "cannot rotate the issuer after step 1 of a trust anchor rotation: step 2 of this rotation creates a new issuer",
      `run meshops identity rotate-anchor ${environment.metadata.name}`,
    );
  const names = environment.spec.linkerd.identity;
  const anchor = keyPairFor([signer], keys["trust-anchor.key"]);
  const issuer = makeIssuer(names, anchor, now);
  const short = coversValidity(anchor, now, names.issuerValidity)
    ? ""
    : ". Also rotate the trust anchor: the new issuer expires at the same time as this trust anchor";
  return {
    changes: new Map(await issuerFiles(environment, issuer, anchor.certificate, store)),
    done: `a new issuer is created, signed by the trust anchor that signed the old issuer${short}`,
    next: "run meshops generate, commit and push. The control plane then restarts. All proxies get certificates from the new issuer within a day",
  };
}

/**
 * Creates new server certificates for the webhooks, signed by the webhook CA. If a webhook has no Secret, creates the
 * Secret. If the existing CA would expire before the new certificates, creates a new CA. The old CAs remain in the file
 * of the CA until they expire, so that the API server continues to trust the old CAs. This trust is necessary because
 * the Secrets and `caBundle` do not change at the same time in the cluster.
 */
export async function rotateWebhooks(environment: Environment, store: SecretStore, now: Date): Promise<RotationStep> {
  const { keys } = await readState(environment, store);
  const names = environment.spec.linkerd.identity;
  const trusted = parsePem(publicText(environment, store, "webhookCa"));
  const current = keyPairFor(trusted, keys["webhook-ca.key"], certificateFiles.webhookCa);
  const renew = !coversValidity(current, now, names.webhookValidity);
  const ca = renew ? makeWebhookCa(names, now) : current;
  const own = fingerprint(new X509Certificate(ca.certificate));
  const others = trusted.filter((other) => fingerprint(other) !== own && new Date(other.validTo) > now);
  const bundle = [ca.certificate, ...others.map(pemOf)].join("");
  const { name } = environment.metadata;
  return {
    changes: new Map([
      ...(await webhookFiles(environment, ca, store, now)),
      publicFile(name, "webhookCa", bundle),
      ...(renew ? [await signingKeys(environment, store, { ...keys, "webhook-ca.key": privateKeyPem(ca) })] : []),
    ]),
    done: `new server certificates for the webhooks are created${renew ? ", signed by a new CA" : ""}`,
    next: "run meshops generate, commit and push. The webhooks reload their Secrets without a restart",
  };
}
