import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { SopsError } from "./error.ts";
import { canonical, type ScalarType, type TypedScalar } from "./scalar.ts";

/** AES-256-GCM with a nonce of 32 bytes and a tag of 16 bytes (sops, aes/cipher.go). */
const algorithm = "aes-256-gcm";
const nonceBytes = 32;
const tagBytes = 16;

const form = /^ENC\[AES256_GCM,data:([A-Za-z0-9+/=]+),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z]+)\]$/;
const types: ReadonlySet<string> = new Set<ScalarType>(["str", "int", "float", "bool", "time", "comment"]);

/** Whether a text has the form of an encrypted value, `ENC[AES256_GCM,…]`. */
export function isCiphertext(text: string): boolean {
  return form.test(text);
}

/**
 * Returns the length in bytes of the plaintext of an encrypted value. AES-GCM does not hide this length. Returns null
 * if the text is not encrypted.
 */
export function plaintextBytes(ciphertext: string): number | null {
  const data = form.exec(ciphertext)?.[1];
  return data === undefined ? null : Buffer.from(data, "base64").length;
}

/**
 * Encrypts a value. An empty text is not encrypted, as in sops.
 *
 * @param context text that is authenticated together with the value, so that the ciphertext cannot be moved to another
 *   path. The context of a value is the path of the value. The context of the MAC is the time of the last change
 *   (`lastmodified`)
 * @param nonce default: a random nonce. For a value that has not changed, pass the nonce of its previous encryption
 */
export function encryptValue(
  scalar: TypedScalar,
  key: Uint8Array,
  context: string,
  nonce: Uint8Array = randomBytes(nonceBytes),
): string {
  const text = canonical(scalar);
  if (text === "") return "";
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(context));
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  const [encoded, iv, tag] = [data, Buffer.from(nonce), cipher.getAuthTag()].map((bytes) => bytes.toString("base64"));
  return `ENC[AES256_GCM,data:${encoded},iv:${iv},tag:${tag},type:${scalar.type}]`;
}

/**
 * A decrypted value, and the nonce of its ciphertext. The nonce is null if the value is an empty text, because an empty
 * text is never encrypted.
 */
export interface Opened {
  readonly scalar: TypedScalar;
  readonly nonce: Uint8Array | null;
}

/**
 * Decrypts a value.
 *
 * @throws SopsError (not-encrypted) if the text is not encrypted; (unsupported) if the type is unknown; (tampered) if
 *   the text was changed, moved or encrypted with another key
 */
export function decryptValue(text: string, key: Uint8Array, context: string): Opened {
  if (text === "") return { scalar: { type: "str", text: "" }, nonce: null };
  const [, data, iv, tag, type] = form.exec(text) ?? [];
  if (data === undefined || iv === undefined || tag === undefined || type === undefined)
    throw new SopsError("not-encrypted", "the value is not encrypted");
  if (!types.has(type)) throw new SopsError("unsupported", `the value has the unknown type "${type}"`);
  const [sealed, nonce, seal] = [data, iv, tag].map(strictBase64);
  if (sealed === null || nonce === null || seal === null || !sealed || !nonce || !seal || seal.length !== tagBytes)
    throw new SopsError("tampered", "the value was changed");
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(context)).setAuthTag(seal);
    const plain = Buffer.concat([decipher.update(sealed), decipher.final()]);
    return {
      scalar: { type: type as ScalarType, text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain) },
      nonce,
    };
  } catch {
    throw new SopsError(
      "tampered",
      "the value was changed, was moved to another key of the file, or was encrypted with another data key",
    );
  }
}

/**
 * Decodes a base64 text. Returns null if the text is not the standard base64 encoding of the decoded bytes. Node alone
 * would also decode a text that contains invalid characters, or whose last character has unused bits that are not zero.
 */
function strictBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
