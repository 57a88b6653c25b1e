import { RE2JS } from "re2js";
import type { EncryptionRule } from "./encryption-rule.ts";
import { SopsError } from "./error.ts";

/**
 * Returns a predicate that reports whether a rule encrypts the value at a path (sops, shouldBeEncrypted). Regular
 * expressions have Go's RE2 syntax and match anywhere in a key.
 *
 * @throws SopsError (unsupported) if Go does not accept the regular expression
 */
export function encryptedBy({ kind, value }: EncryptionRule): (path: readonly string[]) => boolean {
  if (kind === "unencrypted_suffix") return (path) => !path.some((key) => key.endsWith(value));
  if (kind === "encrypted_suffix") return (path) => path.some((key) => key.endsWith(value));
  const found = goPattern(value);
  const matches = (path: readonly string[]): boolean => path.some(found);
  return kind === "encrypted_regex" ? matches : (path) => !matches(path);
}

/**
 * Returns a predicate that reports whether a text contains a match of a Go regular expression. The predicate runs in
 * linear time.
 */
export function goPattern(expression: string): (text: string) => boolean {
  try {
    const pattern = RE2JS.compile(expression);
    return (text) => pattern.matcher(text).find();
  } catch {
    throw new SopsError("unsupported", `"${expression}" is not a valid Go regular expression (RE2)`);
  }
}
