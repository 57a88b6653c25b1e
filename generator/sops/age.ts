import { armor, Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { SopsError } from "./error.ts";
import { type AgeEntry, type Metadata, otherServices } from "./metadata.ts";

/**
 * Encrypts the data key to each recipient separately. Returns one entry with an armored age file for each recipient, as
 * sops does.
 */
export async function wrapDataKey(dataKey: Uint8Array, recipients: readonly string[]): Promise<AgeEntry[]> {
  if (recipients.length === 0) throw new SopsError("recipient", "the list of recipients is empty");
  return Promise.all(
    [...new Set(recipients)].map(async (recipient) => {
      const encrypter = new Encrypter();
      try {
        encrypter.addRecipient(recipient);
      } catch {
        throw new SopsError("recipient", `${recipient} is not an age recipient`);
      }
      return { recipient, enc: `${armor.encode(await encrypter.encrypt(dataKey)).trimEnd()}\n` };
    }),
  );
}

/**
 * Decrypts the data key of a file with one of the identities (`AGE-SECRET-KEY-1…`).
 *
 * @throws SopsError (no-key) if none of the identities can decrypt the data key; (recipient) if an identity is damaged;
 *   (tampered) if the encrypted data key was changed
 */
export async function unwrapDataKey(metadata: Metadata, identities: readonly string[]): Promise<Uint8Array> {
  const known = new Map<string, string>();
  for (const identity of identities) known.set(await recipientOf(identity), identity);
  for (const { recipient, enc } of metadata.age) {
    const identity = known.get(recipient);
    if (identity === undefined) continue;
    const dataKey = await open(enc, identity);
    if (dataKey.length !== 32) throw new SopsError("tampered", `the data key for ${recipient} is not 32 bytes long`);
    return dataKey;
  }
  throw noKey(metadata, identities.length);
}

/** Returns a map from each recipient (`age1…`) to its identity, and the number of damaged identities. */
export async function byRecipient(
  identities: readonly string[],
): Promise<{ readonly known: ReadonlyMap<string, string>; readonly damaged: number }> {
  const recipients = await Promise.all(identities.map((identity) => recipientOf(identity).catch(() => null)));
  const known = identities.flatMap((identity, index): [string, string][] => {
    const recipient = recipients[index] ?? null;
    return recipient === null ? [] : [[recipient, identity]];
  });
  return { known: new Map(known), damaged: identities.length - known.length };
}

/**
 * Returns the recipient of an identity.
 *
 * @throws SopsError (recipient) if the identity is damaged. The function does not throw the error of the library
 *   age-encryption, because that error quotes the identity
 */
async function recipientOf(identity: string): Promise<string> {
  try {
    return await identityToRecipient(identity);
  } catch {
    throw new SopsError(
      "recipient",
      "an age key is damaged",
      "compare your age keys with your backup. meshops reads age keys from the variable SOPS_AGE_KEY, the file in SOPS_AGE_KEY_FILE, the output of the command in SOPS_AGE_KEY_CMD, and sops/age/keys.txt in your configuration folder",
    );
  }
}

async function open(enc: string, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(armor.decode(enc));
  } catch {
    throw new SopsError(
      "tampered",
      "the encrypted data key in the file was changed. The age key of the recipient cannot decrypt this data key",
    );
  }
}

function noKey(metadata: Metadata, held: number): SopsError {
  const others = otherServices(metadata).join(" and ");
  const recipients = metadata.age.map(({ recipient }) => recipient).join(", ");
  const message =
    held === 0
      ? "no age key is available to decrypt the file"
      : held === 1
        ? "the available age key cannot decrypt the file"
        : `none of the ${held} available age keys can decrypt the file`;
  const fix =
    metadata.age.length === 0
      ? `use the sops binary: the file is encrypted only to ${others}`
      : `add the age key of one of these recipients to sops/age/keys.txt in your configuration folder, or to the file that SOPS_AGE_KEY_FILE specifies: ${recipients}${others === "" ? "" : `. Without an age key, use the sops binary with ${others}`}`;
  return new SopsError("no-key", message, fix);
}
