import { armor, Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { SopsError } from "./error.ts";
import { type AgeEntry, type Metadata, otherServices } from "./metadata.ts";

/** Encrypts the data key to each recipient, in an age file of its own, as sops does. */
export async function wrapDataKey(dataKey: Uint8Array, recipients: readonly string[]): Promise<AgeEntry[]> {
  if (recipients.length === 0) throw new SopsError("recipient", "there is nobody to encrypt to");
  return Promise.all(
    [...new Set(recipients)].map(async (recipient) => {
      const encrypter = new Encrypter();
      try {
        encrypter.addRecipient(recipient);
      } catch {
        throw new SopsError("recipient", `${recipient} is no age recipient`);
      }
      return { recipient, enc: `${armor.encode(await encrypter.encrypt(dataKey)).trimEnd()}\n` };
    }),
  );
}

/**
 * The data key of a file, opened by one of the identities (`AGE-SECRET-KEY-1…`).
 *
 * @throws SopsError (no-key) where none of them opens it
 */
export async function unwrapDataKey(metadata: Metadata, identities: readonly string[]): Promise<Uint8Array> {
  const known = new Map<string, string>();
  for (const identity of identities) known.set(await recipientOf(identity), identity);
  for (const { recipient, enc } of metadata.age) {
    const identity = known.get(recipient);
    if (identity === undefined) continue;
    const dataKey = await open(enc, identity);
    if (dataKey.length !== 32) throw new SopsError("tampered", `the data key for ${recipient} has not 32 bytes`);
    return dataKey;
  }
  throw noKey(metadata, identities.length);
}

/** Identities by their recipients (`age1…`), and how many of them are damaged. */
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

/** @throws SopsError (recipient) where the identity is damaged; age-encryption's own error would repeat it */
async function recipientOf(identity: string): Promise<string> {
  try {
    return await identityToRecipient(identity);
  } catch {
    throw new SopsError(
      "recipient",
      "an age key is damaged",
      "compare the keys in SOPS_AGE_KEY, SOPS_AGE_KEY_FILE and keys.txt with their copies",
    );
  }
}

async function open(enc: string, identity: string): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(armor.decode(enc));
  } catch {
    throw new SopsError("tampered", "the data key was changed: its age file does not open with the key that it names");
  }
}

function noKey(metadata: Metadata, held: number): SopsError {
  const recipients = [...metadata.age.map(({ recipient }) => recipient), ...otherServices(metadata)];
  const message =
    held === 0
      ? "no age key at hand opens the file"
      : held === 1
        ? "the age key at hand does not open the file"
        : `none of the ${held} age keys at hand opens the file`;
  const fix =
    metadata.age.length === 0
      ? `it is encrypted to ${otherServices(metadata).join(" and ")} alone: use the sops binary`
      : `it opens to ${recipients.join(", ")}; put a key into SOPS_AGE_KEY_FILE or sops/age/keys.txt of your configuration folder`;
  return new SopsError("no-key", message, fix);
}
