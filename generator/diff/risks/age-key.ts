import type { Assessed, Assessment, ChangedObject } from "../../components/change-rule.ts";

/**
 * Yields the risk of a change after which Flux reads the age key from a Secret with another name. Every Kustomization
 * with encrypted files refers to this Secret (kustomize-controller, spec.decryption.secretRef).
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
    reason: `after this change, Flux reads the age key from the Secret ${String(field.after)}. Until this Secret exists, Flux cannot decrypt files. Flux then does not apply the component "identity" and the components that depend on "identity"`,
    steps: [
      {
        phase: "before",
        text: `Before you push, store the age key in the Secret ${String(field.after)}.`,
        command: `meshops bootstrap ${environment} --run`,
      },
    ],
  };
}

/**
 * Returns the risk if recipients are removed from an encrypted file; null if no recipient is removed. meshops cannot
 * check whether a removed recipient belongs to the cluster, because only the cluster contains the age key of the
 * cluster.
 */
export function removedRecipients(environment: string, before: readonly string[], after: readonly string[]): Assessed | null {
  const removed = before.filter((recipient) => !after.includes(recipient));
  if (removed.length === 0) return null;
  return {
    risk: "stalled-rollout",
    reason: `the file is no longer encrypted for ${removed.length === 1 ? "this age recipient" : "these age recipients"}: ${removed.map((recipient) => `${recipient.slice(0, 12)}…`).join(", ")}. If the cluster has only age keys of removed recipients, Flux cannot decrypt the file. Flux then does not apply the component "identity" and the components that depend on "identity"`,
    steps: [
      {
        text: "If the cluster gets a new age key, first add the new recipients to the spec and keep the old recipients. Then encrypt the files for all recipients, and push.",
        phase: "push",
        command: `meshops identity updatekeys ${environment}`,
      },
      { text: "Store the new age key in the cluster.", command: `meshops bootstrap ${environment} --run` },
      {
        text: "Remove the old recipients from the spec, encrypt the files for the remaining recipients, and push.",
        phase: "push",
        command: `meshops identity updatekeys ${environment}`,
      },
    ],
  };
}
