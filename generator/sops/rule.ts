/** Selects the values of a file to encrypt by the keys on their paths, with one of sops' kinds of rules. */
export interface EncryptionRule {
  readonly kind: RuleKind;
  readonly value: string;
}

export const ruleKinds = ["unencrypted_suffix", "encrypted_suffix", "unencrypted_regex", "encrypted_regex"] as const;
type RuleKind = (typeof ruleKinds)[number];

/** Rule of a file without a rule (sops, DefaultUnencryptedSuffix). */
export const defaultRule: EncryptionRule = { kind: "unencrypted_suffix", value: "_unencrypted" };

/** Rule for Secrets: encrypt the payload, and nothing that Kubernetes must read. */
export const secretRule: EncryptionRule = { kind: "encrypted_regex", value: "^(data|stringData)$" };
