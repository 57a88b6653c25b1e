/**
 * A rule that determines whether a value is encrypted. The result depends on the keys on the path of the value. sops
 * has the same kinds of rules.
 */
export interface EncryptionRule {
  readonly kind: RuleKind;
  readonly value: string;
}

export const ruleKinds = ["unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex"] as const;
type RuleKind = (typeof ruleKinds)[number];

/** Rule for files that do not specify a rule (sops, DefaultUnencryptedSuffix). */
export const defaultRule: EncryptionRule = { kind: "unencrypted_suffix", value: "_unencrypted" };

/**
 * Rule for Secrets: only the values in `data` and `stringData` are encrypted. All fields that Kubernetes must read
 * remain plaintext.
 */
export const secretRule: EncryptionRule = { kind: "encrypted_regex", value: "^(data|stringData)$" };
