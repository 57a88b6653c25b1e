import { parseDocument } from "yaml";
import { secretNames } from "../catalog/well-known.ts";
import type { Assessment } from "../components/change-rule.ts";
import { SopsError } from "../sops/error.ts";
import { decryptFile } from "../sops/file.ts";
import { asMap } from "../system/data.ts";

/** Whether the plaintexts of two encrypted files are the same. */
export type Plaintext = "same" | "differs" | "unknown";

/** Compares two encrypted files; nothing of what they hold leaves this function. */
export async function comparePlaintext(before: string, after: string, identities: readonly string[]): Promise<Plaintext> {
  if (payload(before) === payload(after)) return "same";
  try {
    const [old, young] = await Promise.all([before, after].map((text) => decryptFile(text, { identities })));
    return old === young ? "same" : "differs";
  } catch (error) {
    if (error instanceof SopsError) return "unknown";
    throw error;
  }
}

/** What is encrypted, still encrypted: the same ciphertext under the same data key is the same text. */
function payload(text: string): string {
  const { sops: _, ...rest } = asMap(parseDocument(text).toJS() as unknown);
  return JSON.stringify(rest);
}

/** What a change of an encrypted file means. */
export function secretRisk(name: string, plaintext: Plaintext): Assessment {
  if (plaintext === "same") return { risk: "harmless", reason: "encrypted anew; what it holds is the same" };
  const unknown =
    plaintext === "unknown" ? " (no age key at hand opens both, so whether the plaintext differs is not known)" : "";
  if (name === secretNames.issuer)
    return {
      risk: "trust-anchor",
      reason: `another issuer: identity takes it up by itself, proxies get certificates of it within 24 hours${unknown}`,
    };
  if (name.endsWith("-k8s-tls"))
    return {
      risk: "webhook-policy",
      reason: `another certificate of a webhook: one that its CA did not sign is refused by the API server${unknown}`,
    };
  return { risk: "trust-anchor", reason: `other signing keys of the trust anchors${unknown}` };
}
