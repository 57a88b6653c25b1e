/**
 * A rule that determines, from the keys on the path of a value, whether the value is encrypted. sops has the same kinds
 * of rules.
 */
export interface EncryptionRule {
  readonly kind: RuleKind;
  readonly value: string;
}

export const ruleKinds = ["unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex"] as const;
type RuleKind = (typeof ruleKinds)[number];

/** The rule that applies to a file that specifies no rule (sops, DefaultUnencryptedSuffix). */
export const defaultRule: EncryptionRule = { kind: "unencrypted_suffix", value: "_unencrypted" };

/** Rule for Secrets: only the payload is encrypted. All fields that Kubernetes must read remain plaintext. */
export const secretRule: EncryptionRule = { kind: "encrypted_regex", value: "^(data|stringData)$" };
