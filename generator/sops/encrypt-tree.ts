import { createHash, timingSafeEqual } from "node:crypto";
import { decryptValue, encryptValue, isCiphertext } from "./cipher.ts";
import { SopsError } from "./error.ts";
import { encryptedBy } from "./match.ts";
import type { Metadata } from "./metadata.ts";
import { canonical, type TypedScalar } from "./scalar.ts";
import type { Tree } from "./tree.ts";
import { formatPath, type Leaf } from "./values.ts";

/**
 * Nonces of a file's values, by path and plaintext. A value that has not changed is encrypted with the same nonce, so
 * that its ciphertext does not change (sops, aes/cipher.go, stash).
 */
export type Nonces = ReadonlyMap<string, Uint8Array>;

type Covered = Pick<Metadata, "rule" | "macOnlyEncrypted">;

/**
 * Encrypts a tree in place. Returns the encrypted MAC of the tree. The time of the change is authenticated together
 * with the MAC.
 */
export function seal(tree: Tree, key: Uint8Array, how: Covered, lastModified: string, nonces: Nonces = new Map()): string {
  const encrypted = encryptedBy(how.rule);
  const mac = new Mac(how);
  for (const leaf of tree.leaves) {
    const scalar = leaf.read();
    const secret = encrypted(leaf.path);
    if (!leaf.comment) mac.add(scalar, secret);
    if (!secret) continue;
    // If a comment is still ciphertext, it could not be decrypted. Keep this ciphertext.
    if (leaf.comment && isCiphertext(scalar.text)) continue;
    if (isCiphertext(scalar.text))
      throw new SopsError("already-encrypted", `${formatPath(leaf.path)} seems to be already encrypted`);
    leaf.write(ciphertext(encryptValue(scalar, key, contextOf(leaf), nonces.get(nonceKey(contextOf(leaf), scalar))), leaf));
  }
  return encryptValue(
    { type: "str", text: mac.digest() },
    key,
    goTime(lastModified),
    nonces.get(macKey(mac.digest(), lastModified)),
  );
}

/**
 * Decrypts a tree in place. Returns the nonces of the encrypted values.
 *
 * @throws SopsError (tampered) if a value or the MAC was changed; (not-encrypted) if a value that the rule encrypts is
 *   plaintext
 */
export function unseal(tree: Tree, key: Uint8Array, metadata: Metadata): Nonces {
  const encrypted = encryptedBy(metadata.rule);
  const mac = new Mac(metadata);
  const nonces = new Map<string, Uint8Array>();
  const places = encryptedPlaces(tree, encrypted);
  for (const leaf of tree.leaves) {
    const secret = encrypted(leaf.path);
    if (leaf.comment) {
      // Do not decrypt comments that the rule does not encrypt, because meshops would later write the decrypted
      // comments in plaintext. Do not add comments to the MAC, because the MAC does not cover comments.
      if (secret) openComment(leaf, key, places, nonces);
      continue;
    }
    const scalar = secret ? openValue(leaf, key, nonces) : leaf.read();
    // sops stores a comment in a list as an encrypted item of the list. Accept the type `comment` only for list items,
    // because the type of a value is not authenticated, and the MAC does not cover comments.
    if (scalar.type === "comment" && !leaf.item)
      throw new SopsError("tampered", `${formatPath(leaf.path)}: the value was changed`);
    if (scalar.type !== "comment") mac.add(scalar, secret);
  }
  checkMac(mac.digest(), key, metadata, nonces);
  return nonces;
}

function openValue(leaf: Leaf, key: Uint8Array, nonces: Map<string, Uint8Array>): TypedScalar {
  const { type, text } = leaf.read();
  try {
    if (type !== "str") throw new SopsError("not-encrypted", "the value is not encrypted");
    const { scalar, nonce } = decryptValue(text, key, contextOf(leaf));
    const value = { type: scalar.type, text: canonical(scalar) };
    if (nonce !== null) nonces.set(nonceKey(contextOf(leaf), value), nonce);
    leaf.write(value);
    return value;
  } catch (error) {
    if (error instanceof SopsError) throw new SopsError(error.problem, `${formatPath(leaf.path)}: ${error.message}`, error.fix);
    throw new SopsError("tampered", `${formatPath(leaf.path)}: ${(error as Error).message}`);
  }
}

/** Returns the contexts (see `context`) of all paths in the tree that the rule encrypts. */
function encryptedPlaces({ leaves }: Tree, encrypted: (path: readonly string[]) => boolean): string[] {
  const paths = leaves.flatMap(({ path }) => path.map((_, index) => path.slice(0, index + 1)).concat([[]]));
  return [...new Set(paths.filter(encrypted).map(context))];
}

/**
 * Decrypts a comment in place. Parsers do not agree on the node to which a comment belongs. Therefore, the function
 * tries every encrypted path as context. A comment that is not encrypted is not changed.
 */
function openComment(leaf: Leaf, key: Uint8Array, places: readonly string[], nonces: Map<string, Uint8Array>): void {
  const { text } = leaf.read();
  if (!isCiphertext(text)) return;
  for (const place of [contextOf(leaf), ...places]) {
    try {
      const { scalar, nonce } = decryptValue(text, key, place);
      // The type in a ciphertext is not authenticated. If the type is not `comment`, the text is not a comment: the
      // ciphertext of a value was moved into the comment.
      if (scalar.type !== "comment") return;
      if (nonce !== null) nonces.set(nonceKey(place, scalar), nonce);
      leaf.write(scalar);
      return;
    } catch (error) {
      if (!(error instanceof SopsError)) throw error;
    }
  }
}

function checkMac(computed: string, key: Uint8Array, { mac, lastModified }: Metadata, nonces: Map<string, Uint8Array>): void {
  const tampered = new SopsError("tampered", "the MAC does not match: the file was changed since it was encrypted");
  let stated: string;
  try {
    const { scalar, nonce } = decryptValue(mac, key, goTime(lastModified));
    stated = scalar.text;
    if (nonce !== null) nonces.set(macKey(stated, lastModified), nonce);
  } catch {
    throw tampered;
  }
  const [a, b] = [Buffer.from(stated), Buffer.from(computed)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw tampered;
}

/** SHA-512 hash over the values in the order of the file, in upper-case hexadecimal (sops.go, Encrypt). */
class Mac {
  readonly #hash = createHash("sha512");
  readonly #onlyEncrypted: boolean;

  constructor({ macOnlyEncrypted }: Covered) {
    this.#onlyEncrypted = macOnlyEncrypted;
    // A MAC over only the encrypted values must never equal a MAC over all values (sops.go,
    // MACOnlyEncryptedInitialization).
    if (macOnlyEncrypted) this.#hash.update(createHash("sha256").update("sops").digest());
  }

  add(scalar: TypedScalar, encrypted: boolean): void {
    if (encrypted || !this.#onlyEncrypted) this.#hash.update(canonical(scalar));
  }

  digest(): string {
    return this.#hash.copy().digest("hex").toUpperCase();
  }
}

function ciphertext(text: string, { comment }: Leaf): TypedScalar {
  return { type: comment ? "comment" : "str", text };
}

function contextOf({ path }: Leaf): string {
  return context(path);
}

/** Returns the context of a path as sops formats it: each key followed by a colon, or one colon for an empty path. */
function context(path: readonly string[]): string {
  return `${path.join(":")}:`;
}

/**
 * Returns the map key of a nonce. Different paths or texts have different map keys, because a nonce must never be used
 * for two different texts.
 */
function nonceKey(place: string, { type, text }: TypedScalar): string {
  return JSON.stringify([place, type, text]);
}

function macKey(mac: string, lastModified: string): string {
  return JSON.stringify(["mac", lastModified, mac]);
}

/** Replaces the UTC offset +00:00 with Z, as Go writes it. */
function goTime(text: string): string {
  return text.replace(/[-+]00:00$/, "Z");
}
