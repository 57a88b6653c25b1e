import type { Plan } from "../../bundle/plan.ts";
import { isEnvironmentName } from "../../spec/name.ts";
import { isVersionAtLeast } from "../../system/version.ts";
import type { Io } from "../io.ts";
import { wrap } from "../terminal/wrap.ts";

interface UpgradeNotes {
  readonly version: string;
  readonly notes: readonly string[];
}

/**
 * Notes about changes of the generated files that require an action of the user or restart pods. The oldest version is
 * first. The section "When you upgrade" in CHANGELOG.md contains the same changes.
 */
const upgradeNotes: readonly UpgradeNotes[] = [
  {
    version: "0.2.0",
    notes: [
      "Dgraph's pods restart once, because each pod now waits 5 seconds before it stops.",
      "If a version of meshops before 0.2.0 created your webhook keys, run meshops identity rotate-webhooks. The control plane and viz then restart once.",
      "With high availability on stable-2.14.10, the pods of linkerd-destination restart once. The policy controller in these pods now gets its resource requests and limits from the Helm values.",
    ],
  },
];

/** Version that meshops assumes for an inventory without a version. */
const unrecorded = "0.1.0";

/**
 * Prints the upgrade notes of each meshops version that is newer than the oldest version in the existing inventories.
 * This run of `generate` then writes the current version to the inventories, so the next run does not print these notes
 * again.
 */
export function printUpgradeNotes(io: Io, plans: readonly Plan[]): void {
  const upgraded = plans.filter(
    ({ owner, before, after }) => isEnvironmentName(owner) && before.files.size > 0 && after.version !== before.version,
  );
  for (const { version, notes } of upgradeNotes) {
    if (!upgraded.some(({ before }) => !isVersionAtLeast(before.version ?? unrecorded, version))) continue;
    io.stderr.write(`when you upgrade to meshops ${version}:\n`);
    for (const note of notes) io.stderr.write(`${wrap(`- ${note}`, "  ").join("\n")}\n`);
  }
}
