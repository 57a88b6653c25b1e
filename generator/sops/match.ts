import { RE2JS } from "re2js";
import { SopsError } from "./error.ts";
import type { EncryptionRule } from "./rule.ts";

/**
 * A predicate on paths: whether the value there is encrypted (sops, shouldBeEncrypted). Expressions are Go's RE2, matched anywhere in a key.
 *
 * @throws SopsError (unsupported) where the expression is none that Go takes
 */
export function encryptedBy({ kind, value }: EncryptionRule): (path: readonly string[]) => boolean {
  if (kind === "unencrypted_suffix") return (path) => !path.some((key) => key.endsWith(value));
  if (kind === "encrypted_suffix") return (path) => path.some((key) => key.endsWith(value));
  const found = goPattern(value);
  const matches = (path: readonly string[]): boolean => path.some(found);
  return kind === "encrypted_regex" ? matches : (path) => !matches(path);
}

/** Whether a text contains what a regular expression of Go's describes; linear in time, whatever the expression. */
export function goPattern(expression: string): (text: string) => boolean {
  try {
    const pattern = RE2JS.compile(expression);
    return (text) => pattern.matcher(text).find();
  } catch {
    throw new SopsError("unsupported", `"${expression}" is no regular expression of Go's`);
  }
}
