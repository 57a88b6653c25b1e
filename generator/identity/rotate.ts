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
 * Creates a new issuer, signed by the anchor that signed the old one.
 *
 * @throws UserError (problem) if a new trust anchor has been added that has not signed the issuer yet
 */
export async function rotateIssuer(environment: Environment, store: SecretStore, now: Date): Promise<RotationStep> {
  const { stage, signer, keys } = await readState(environment, store);
  if (stage === "bundled")
    throw new UserError(
      exitCode.problem,
      "a trust anchor rotation is in progress, and its next step creates a new issuer",
      `run meshops identity rotate-anchor ${environment.metadata.name}`,
    );
  const names = environment.spec.linkerd.identity;
  const anchor = pairWith([signer], keys["trust-anchor.key"]);
  const issuer = makeIssuer(names, anchor, now);
  const short = outlives(anchor, now, names.issuerValidity)
    ? ""
    : " (valid only until that anchor expires; rotate the anchor too)";
  return {
    changes: new Map(await issuerFiles(environment, issuer, anchor.certificate, store)),
    done: `a new issuer under the same trust anchor${short}`,
    next: "run meshops generate, commit and push; the control plane restarts, and proxies renew their certificates within a day",
  };
}

/**
 * Creates new server certificates for the webhooks, signed by their CA, and the Secrets that the environment lacks.
 * Replaces a CA that would expire before the certificates. The API server still trusts the old CA until it expires,
 * since Secrets and `caBundle` do not change at the same moment.
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
    done: `new server certificates for the webhooks${renew ? ", under a new CA" : ""}`,
    next: "run meshops generate, commit and push; the webhooks reload their Secrets without a restart",
  };
}
