import { parseDocument } from "yaml";
import { secretNames } from "../catalog/well-known.ts";
import type { Assessment } from "../components/change-rule.ts";
import { SopsError } from "../sops/error.ts";
import { decryptFile } from "../sops/file.ts";
import { openFile } from "../sops/inspect.ts";
import { secretIn, workloadsFolder } from "../spec/layout.ts";
import { asMap } from "../system/data.ts";

/**
 * Whether the plaintexts of two encrypted files are the same. `unknown`: the files cannot be decrypted with the
 * available age keys.
 */
export type Plaintext = "same" | "differs" | "unknown";

/** Compares the plaintexts of two encrypted files, without returning the plaintexts. */
export async function comparePlaintext(before: string, after: string, identities: readonly string[]): Promise<Plaintext> {
  if (payload(before) === payload(after)) return "same";
  try {
    const [previous, next] = await Promise.all([before, after].map((text) => decryptFile(text, { identities })));
    return previous === next ? "same" : "differs";
  } catch (error) {
    if (error instanceof SopsError) return "unknown";
    throw error;
  }
}

/**
 * Returns the encrypted values of a file as text. If the encrypted values of two files are equal, the plaintexts are
 * also equal.
 */
function payload(text: string): string {
  const { sops: _, ...rest } = asMap(parseDocument(text).toJS() as unknown);
  return JSON.stringify(rest);
}

/** Returns the age recipients of an encrypted file; an empty list if the file is not a valid SOPS file. */
export function recipientsIn(text: string): readonly string[] {
  try {
    return openFile(text).metadata.age.map(({ recipient }) => recipient);
  } catch (error) {
    if (error instanceof SopsError) return [];
    throw error;
  }
}

/**
 * Whether Flux decrypts an encrypted file in the cluster. Returns false for the file with the signing keys, which only
 * administrators can decrypt.
 */
export function isInCluster(path: string): boolean {
  const name = secretIn(path);
  return isOfWorkload(path) || name === secretNames.issuer || isOfWebhook(path);
}

function isOfWorkload(path: string): boolean {
  return path.split("/")[2] === workloadsFolder;
}

/** Assesses the removal of an encrypted file. */
export function removedSecret(path: string): Assessment {
  if (isOfWorkload(path))
    return { risk: "stalled-rollout", reason: "Flux deletes this Secret. New pods that refer to this Secret cannot start" };
  if (!isInCluster(path))
    return {
      risk: "trust-anchor",
      reason:
        "the signing keys of the trust anchors are no longer in the repository. Without these keys, meshops cannot create a new issuer under the same trust anchor",
    };
  return {
    risk: "trust-anchor",
    reason: isOfWebhook(path)
      ? "Flux deletes this Secret at the next reconciliation. The server of the webhook cannot start again without its certificate"
      : "Flux deletes this Secret at the next reconciliation. The identity controller cannot start again without its issuer, and proxies can then no longer renew their certificates",
  };
}

/** Whether an encrypted file contains the certificate of a webhook. */
function isOfWebhook(path: string): boolean {
  const { issuer: _, ...ofWebhooks } = secretNames;
  return Object.values<string>(ofWebhooks).includes(secretIn(path));
}

/** Assesses the change of an encrypted file. */
export function secretRisk(path: string, plaintext: Plaintext): Assessment {
  const name = secretIn(path);
  if (plaintext === "same")
    return { risk: "harmless", reason: "the file was encrypted again; the plaintext is the same as before" };
  const changes = (what: string, verb: string): string =>
    plaintext === "unknown"
      ? `${what} may change. No available age key can decrypt both versions of the file, so meshops cannot compare the plaintexts`
      : `${what} ${verb}`;
  if (isOfWorkload(path))
    return {
      risk: "not-assessed",
      reason: `${changes("the content of the Secret", "changes")}. No pod restarts. Pods that read the Secret only at startup get the new content after their next restart`,
    };
  if (name === secretNames.issuer)
    return {
      risk: "trust-anchor",
      reason: `${changes("the issuer", "changes")}. If the trust bundle already contains the trust anchor of the new issuer, the identity controller loads the new issuer without a restart. All proxies then get certificates from the new issuer within 24 hours. If the trust bundle does not contain this trust anchor, the identity controller uses the old issuer until the next restart`,
    };
  if (isOfWebhook(path))
    return {
      risk: "webhook-policy",
      reason: `${changes("the certificate of a webhook", "changes")}. If the CA of the webhook did not sign the new certificate, the API server cannot call the webhook`,
    };
  return { risk: "trust-anchor", reason: changes("the signing keys of the trust anchors", "change") };
}
