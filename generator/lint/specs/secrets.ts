import { bech32 } from "@scure/base";
import type { Environment } from "../../spec/environment.generated.ts";
import { recipientsOf } from "../../spec/ownership.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Rules about the recipients of encrypted files. */
export const secretsRules: readonly Rule[] = [
  {
    code: "age-recipient",
    severity: "error",
    title: "An age recipient contains a typing error",
    why: "An age recipient ends with a checksum (age's format, C2SP age.md: Bech32). If the checksum does not match the rest of the recipient, meshops cannot encrypt files for this recipient.",
    fix: "Copy the recipient from the line `# public key:` of the key file, or from the output of `age-keygen -y`.",
    check: ageChecksums,
  },
  {
    code: "age-recipient-shared",
    severity: "error",
    title: "The cluster and an administrator have the same age key",
    why:
      "The trust anchor's private key is encrypted only for the age keys of administrators. An attacker who controls the cluster therefore cannot sign a new issuer with the trust anchor's key. " +
      "If the same recipient is in `secrets.age` (for the cluster) and in `secrets.admin` (for administrators), the cluster can decrypt the trust anchor's key.",
    fix: "Create a separate age key for administrators with `age-keygen`. In `secrets.admin`, replace the shared recipient with the recipient of the new key. Then run `meshops identity updatekeys <env>`.",
    check: ageSharedRecipients,
  },
];

function* ageChecksums(environment: Environment): Iterable<RuleFinding> {
  const recipients = recipientsOf(environment);
  for (const list of ["age", "admin"] as const) {
    for (const [index, recipient] of recipients[list].entries()) {
      if (bech32.decodeUnsafe(recipient as `age1${string}`, 90) !== undefined) continue;
      yield {
        paths: [spec("secrets", list, index)],
        message: "this age recipient contains a typing error: its checksum does not match",
        fix: "copy the recipient from the line `# public key:` of the key file",
      };
    }
  }
}

function* ageSharedRecipients(environment: Environment): Iterable<RuleFinding> {
  const { age, admin } = recipientsOf(environment);
  for (const [index, recipient] of age.entries()) {
    if (!admin.includes(recipient)) continue;
    yield {
      paths: [spec("secrets", "age", index)],
      message:
        "this recipient is in both secrets.age and secrets.admin. The cluster can therefore decrypt the trust anchor's private key",
      fix: `create a separate age key for administrators with age-keygen. In secrets.admin, replace this recipient with the recipient of the new key. Then run meshops identity updatekeys ${environment.metadata.name}`,
    };
  }
}
