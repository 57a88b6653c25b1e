import { RE2JS } from "re2js";
import { SopsError } from "./error.ts";

/** Which values of a file are encrypted: one of the ways that sops knows, by the keys on the way to a value. */
export interface EncryptionRule {
  readonly kind: RuleKind;
  readonly value: string;
}

export const ruleKinds = ["unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex"] as const;
type RuleKind = (typeof ruleKinds)[number];

/** What holds where a file names no rule (sops, DefaultUnencryptedSuffix). */
export const defaultRule: EncryptionRule = { kind: "unencrypted_suffix", value: "_unencrypted" };

/** What holds for Secrets: their payload, and nothing that Kubernetes must read. */
export const secretRule: EncryptionRule = { kind: "encrypted_regex", value: "^(data|stringData)$" };

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
