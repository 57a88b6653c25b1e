import { bech32 } from "@scure/base";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Who can open what is encrypted. */
export const secretsRules: readonly Rule[] = [
  {
    code: "age-recipient",
    severity: "error",
    title: "An age recipient is mistyped",
    why: "A recipient ends in a checksum (age's format, C2SP age.md: Bech32). Nothing can be encrypted to one whose checksum does not match.",
    fix: "Copy it again from the line `# public key:` of the key file, or from `age-keygen -y`.",
    check: ageChecksums,
  },
  {
    code: "age-recipient-shared",
    severity: "error",
    title: "One age key is the cluster's and an administrator's",
    why:
      "The trust anchor's private key is encrypted to the administrators alone, so that a broken-into cluster cannot sign itself a new identity. " +
      "A recipient on both lists undoes that.",
    fix: "Give the cluster a key of its own: `meshops identity keygen <env>`.",
    check: ageSharedRecipients,
  },
];

function* ageChecksums({ spec: { secrets } }: Environment): Iterable<RuleFinding> {
  for (const list of ["age", "admin"] as const) {
    for (const [index, recipient] of secrets[list].entries()) {
      if (bech32.decodeUnsafe(recipient as `age1${string}`, 90) !== undefined) continue;
      yield {
        paths: [spec("secrets", list, index)],
        message: "the checksum of this age recipient does not match",
        fix: "copy it again from the line `# public key:` of the key file",
      };
    }
  }
}

function* ageSharedRecipients({ spec: { secrets } }: Environment): Iterable<RuleFinding> {
  for (const [index, recipient] of secrets.age.entries()) {
    if (!secrets.admin.includes(recipient)) continue;
    yield {
      paths: [spec("secrets", "age", index)],
      message: "this recipient is both the cluster's and an administrator's, so the cluster could open the trust anchor's key",
      fix: "give the cluster an age key of its own",
    };
  }
}
