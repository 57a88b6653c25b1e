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
 * Changes of the output that a user must know about, oldest version first. CHANGELOG.md lists them under "When you
 * upgrade".
 */
const upgradeNotes: readonly UpgradeNotes[] = [
  {
    version: "0.2.0",
    notes: [
      "Dgraph's pods restart once: they now wait 5 seconds before they stop.",
      "The control plane and viz restart once if you have run meshops identity rotate-webhooks, which older webhook keys need.",
      "With high availability on stable-2.14.10, the policy controller's container gets the resources that its values ask for, and restarts.",
    ],
  },
];

/** Version before inventories recorded one. */
const unrecorded = "0.1.0";

/**
 * Prints the notes of the versions after the one that last changed the generated files. The inventories record this
 * version then, so the notes are printed once.
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
