import { bech32 } from "@scure/base";
import type { Environment } from "../environment.generated.ts";
import { error, type Rule, type RuleFinding, spec } from "./rule.ts";

/** Who can open what is encrypted. */
export const secretsRules: readonly Rule[] = [ageChecksums, ageSharedRecipients];

function* ageChecksums({ spec: { secrets } }: Environment): Iterable<RuleFinding> {
  for (const list of ["age", "admin"] as const) {
    for (const [index, recipient] of secrets[list].entries()) {
      if (bech32.decodeUnsafe(recipient as `age1${string}`, 90) !== undefined) continue;
      const hint = "copy it again from the line `# public key:` of the key file";
      yield error("age-recipient", [spec("secrets", list, index)], "the checksum of this age recipient does not match", hint);
    }
  }
}

function* ageSharedRecipients({ spec: { secrets } }: Environment): Iterable<RuleFinding> {
  for (const [index, recipient] of secrets.age.entries()) {
    if (!secrets.admin.includes(recipient)) continue;
    const message =
      "this recipient is both the cluster's and an administrator's, so the cluster could open the trust anchor's key";
    yield error("age-recipient-shared", [spec("secrets", "age", index)], message, "give the cluster an age key of its own");
  }
}
