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
