import { X509Certificate } from "node:crypto";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { makeIssuer, makeWebhookCa, outlives, privateKeyPem } from "./authority.ts";
import { type Changes, issuerFiles, publicFile, type SecretStore, signingKeys, webhookFiles } from "./files.ts";
import { fingerprint, parsePem, pemOf } from "./pem.ts";
import { pairWith, publicText, readState } from "./state.ts";

/** Changes that a command makes, or would make, to an identity. */
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
 * @throws UserError (problem) if a new trust anchor has been added, but has not signed the issuer yet
 */
export async function rotateIssuer(environment: Environment, store: SecretStore, now: Date): Promise<RotationStep> {
  const { stage, signer, keys } = await readState(environment, store);
  if (stage === "bundled")
    throw new UserError(
      exitCode.problem,
      "cannot rotate the issuer during a trust anchor rotation: the next step of this rotation creates a new issuer",
      `run meshops identity rotate-anchor ${environment.metadata.name}`,
    );
  const names = environment.spec.linkerd.identity;
  const anchor = pairWith([signer], keys["trust-anchor.key"]);
  const issuer = makeIssuer(names, anchor, now);
  const short = outlives(anchor, now, names.issuerValidity)
    ? ""
    : " (the issuer expires together with this trust anchor: rotate the trust anchor too)";
  return {
    changes: new Map(await issuerFiles(environment, issuer, anchor.certificate, store)),
    done: `a new issuer, signed by the same trust anchor${short}`,
    next: "run meshops generate, commit and push; the control plane restarts, and all proxies get certificates from the new issuer within a day",
  };
}

/**
 * Creates new server certificates for the webhooks, signed by the webhook CA, and creates missing Secrets. Replaces the
 * CA if it would expire before the certificates. The API server trusts the old CA until that CA expires, because
 * Secrets and `caBundle` do not change at the same moment.
 */
export async function rotateWebhooks(environment: Environment, store: SecretStore, now: Date): Promise<RotationStep> {
  const { keys } = await readState(environment, store);
  const names = environment.spec.linkerd.identity;
  const trusted = parsePem(publicText(environment, store, "webhookCa"));
  const current = pairWith(trusted, keys["webhook-ca.key"], "webhook-ca.crt");
  const renew = !outlives(current, now, names.webhookValidity);
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
    done: `new server certificates for the webhooks${renew ? ", signed by a new CA" : ""}`,
    next: "run meshops generate, commit and push; the webhooks reload their Secrets without a restart",
  };
}
