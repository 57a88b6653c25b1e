import type { Assessment, ChangedObject, Verdict } from "../../components/change-rule.ts";
import { plural } from "../../system/text.ts";

/**
 * Risk of a change of the name of the Secret that contains the cluster's age key. Every Kustomization with encrypted
 * files refers to this Secret (kustomize-controller, spec.decryption.secretRef).
 */
export function* ageSecretRisk(
  { kind, fields }: ChangedObject,
  { environment }: { readonly environment: string },
): Iterable<Assessment> {
  if (kind !== "Kustomization") return;
  const field = fields.find(({ path }) => path === "spec.decryption.secretRef.name");
  if (field?.before === undefined || field.after === undefined) return;
  yield {
    risk: "stalled-rollout",
    reason: `after this change, Flux reads the age key from the Secret ${String(field.after)}. Until this Secret exists, Flux cannot decrypt files, and applies neither the component identity nor the components that depend on it`,
    steps: [
      {
        text: `Before you push, store the age key in the Secret ${String(field.after)}.`,
        command: `meshops bootstrap ${environment} --run`,
      },
    ],
  };
}

/**
 * Risk of removed recipients in an encrypted file; null if no recipient was removed. Only the cluster contains its age
 * key, so meshops does not know whether the recipient of this key was removed.
 */
export function removedRecipients(environment: string, before: readonly string[], after: readonly string[]): Verdict | null {
  const removed = before.filter((recipient) => !after.includes(recipient));
  if (removed.length === 0) return null;
  return {
    risk: "stalled-rollout",
    reason: `the file is no longer encrypted for ${plural(removed.length, "recipient")} (${removed.map((recipient) => `${recipient.slice(0, 12)}…`).join(", ")}). If the cluster has only age keys of removed recipients, Flux cannot decrypt the file, and applies neither the component identity nor the components that depend on it`,
    steps: [
      {
        text: "If the cluster gets a new age key, first add the new recipients to the spec and keep the old recipients. Then encrypt the files for all recipients, and push.",
        command: `meshops identity updatekeys ${environment}`,
      },
      { text: "Store the new age key in the cluster.", command: `meshops bootstrap ${environment} --run` },
      {
        text: "Remove the old recipients from the spec, encrypt the files again, and push.",
        command: `meshops identity updatekeys ${environment}`,
      },
    ],
  };
}
