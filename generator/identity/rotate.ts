import { X509Certificate } from "node:crypto";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { makeIssuer, makeWebhookCa, outlives, privateKeyPem } from "./authority.ts";
import { type Changes, issuerFiles, publicFile, type SecretStore, signingKeys, webhookFiles } from "./files.ts";
import { fingerprint, parsePem, pemOf } from "./pem.ts";
import { pairWith, publicText, readState } from "./state.ts";

/** What a command did, or would do, with an identity. */
export interface RotationStep {
  readonly changes: Changes;
  /** What was done, in a line. */
  readonly done: string;
  /** What comes next. */
  readonly next: string;
}

/** A new issuer under the anchor that signed the old one. */
export async function rotateIssuer(environment: Environment, store: SecretStore, now: Date): Promise<RotationStep> {
  const { stage, signer, keys } = await readState(environment, store);
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
    changes: new Map(await issuerFiles(environment, issuer, anchor.certificate, store)),
    done: `a new issuer under the same trust anchor${short}`,
    next: "meshops generate, commit and push; the control plane restarts, and proxies renew their certificates within a day",
  };
}

/**
 * New server certificates for the webhooks, under their CA; Secrets that the environment needs and lacks are made. A CA that would end before they do is
 * replaced; the API server goes on believing the old one until it ends, since Secrets and `caBundle` do not change at the same moment.
 */
export async function rotateWebhooks(environment: Environment, store: SecretStore, now: Date): Promise<RotationStep> {
  const { keys } = await readState(environment, store);
  const names = environment.spec.linkerd.identity;
  const believed = parsePem(publicText(environment, store, "webhookCa"));
  const standing = pairWith(believed, keys["webhook-ca.key"], "webhook-ca.crt");
  const renew = !outlives(standing, now, names.webhookValidity);
  const ca = renew ? makeWebhookCa(names, now) : standing;
  const own = fingerprint(new X509Certificate(ca.certificate));
  const others = believed.filter((other) => fingerprint(other) !== own && new Date(other.validTo) > now);
  const bundle = [ca.certificate, ...others.map(pemOf)].join("");
  const { name } = environment.metadata;
  return {
    changes: new Map([
      ...(await webhookFiles(environment, ca, store, now)),
      publicFile(name, "webhookCa", bundle),
      ...(renew ? [await signingKeys(environment, store, { ...keys, "webhook-ca.key": privateKeyPem(ca) })] : []),
    ]),
    done: `new server certificates for the webhooks${renew ? ", under a new CA" : ""}`,
    next: "meshops generate, commit and push; the webhooks read their Secrets again by themselves",
  };
}
