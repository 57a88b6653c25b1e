import { randomBytes } from "node:crypto";
import { unwrapDataKey, wrapDataKey } from "./age.ts";
import { seal, unseal } from "./encrypt-tree.ts";
import { type EncryptionRule, secretRule } from "./encryption-rule.ts";
import { SopsError } from "./error.ts";
import { metadataOf, sopsNode } from "./inspect.ts";
import { formatVersion, otherServices } from "./metadata.ts";
import { parseTree } from "./tree.ts";
import type { Format } from "./values.ts";
import { emitTree } from "./write-yaml.ts";

/**
 * Options for encrypting a new file. The defaults are for Secrets: only `data` and `stringData` are encrypted, and the
 * MAC does not cover unencrypted values such as labels.
 */
export interface EncryptOptions {
  readonly recipients: readonly string[];
  readonly now: Date;
  readonly format?: Format;
  readonly rule?: EncryptionRule;
  readonly macOnlyEncrypted?: boolean;
}

/** The age identities that decrypt a file, and the time that is recorded if the file is encrypted again. */
export interface KeyAccess {
  /** age identities, `AGE-SECRET-KEY-1…`. */
  readonly identities: readonly string[];
  readonly now: Date;
  readonly format?: Format;
}

/**
 * Encrypts a file. The sops binary can decrypt and edit the result.
 *
 * @throws SopsError
 */
export async function encryptFile(text: string, options: EncryptOptions): Promise<string> {
  const { recipients, now, format = "yaml", rule = secretRule, macOnlyEncrypted = true } = options;
  const tree = parseTree(text, format);
  if (sopsNode(tree) !== undefined) throw new SopsError("already-encrypted", "the file is already encrypted");
  const dataKey = randomBytes(32);
  const age = await wrapDataKey(dataKey, recipients);
  const lastModified = timeOf(now);
  const mac = seal(tree, dataKey, { rule, macOnlyEncrypted }, lastModified);
  return emitTree(tree, { age, others: {}, lastModified, mac, rule, macOnlyEncrypted, version: formatVersion });
}

/**
 * Returns the decrypted text of a file, without the metadata. Always checks the MAC of the file.
 *
 * @throws SopsError
 */
export async function decryptFile(text: string, { identities, format = "yaml" }: Omit<KeyAccess, "now">): Promise<string> {
  const tree = parseTree(text, format);
  const metadata = metadataOf(tree);
  unseal(tree, await unwrapDataKey(metadata, identities), metadata);
  return emitTree(tree, null);
}

/**
 * Changes the recipients that can decrypt a file's data key, and returns the new text of the file. If a recipient is
 * removed, the file is encrypted with a new data key. With the old data key, the removed recipient could also decrypt
 * later versions of the file. (The removed recipient can still decrypt versions that were committed before the change.)
 *
 * @throws SopsError
 */
export async function updateKeys(text: string, access: KeyAccess, recipients: readonly string[]): Promise<string> {
  const { identities, now, format = "yaml" } = access;
  const tree = parseTree(text, format);
  const metadata = metadataOf(tree);
  const wanted = [...new Set(recipients)];
  const before = metadata.age.map(({ recipient }) => recipient);
  if (wanted.length === before.length && wanted.every((recipient, index) => recipient === before[index])) return text;
  const dataKey = await unwrapDataKey(metadata, identities);
  const nonces = unseal(tree, dataKey, metadata);
  const lastModified = timeOf(now);
  if (before.every((recipient) => wanted.includes(recipient))) {
    const kept = new Map(metadata.age.map((entry) => [entry.recipient, entry]));
    const added = await wrapDataKey(dataKey, wanted);
    const age = added.map((entry) => kept.get(entry.recipient) ?? entry);
    const mac = seal(tree, dataKey, metadata, metadata.lastModified, nonces);
    return emitTree(tree, { ...metadata, age, mac });
  }
  const others = otherServices(metadata);
  if (others.length > 0)
    throw new SopsError(
      "unsupported",
      `meshops cannot remove recipients from this file. The removal requires a new data key, and only the sops binary can encrypt a data key to ${others.join(" and ")}`,
      "run sops rotate --in-place --rm-age <recipient> <file>",
    );
  const fresh = randomBytes(32);
  const mac = seal(tree, fresh, metadata, lastModified);
  return emitTree(tree, { ...metadata, age: await wrapDataKey(fresh, wanted), lastModified, mac, version: formatVersion });
}

/** Formats a time as sops does: RFC 3339 in UTC, without fractions of a second. */
function timeOf(now: Date): string {
  return `${now.toISOString().slice(0, 19)}Z`;
}
