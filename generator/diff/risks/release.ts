import type { Assessment, ChangedObject, FieldChange } from "../../components/change-rule.ts";

/** Helm releases of every component. */
export function* releaseRisks({ kind, name, change, fields }: ChangedObject): Iterable<Assessment> {
  if (kind !== "HelmRelease") return;
  if (change === "removed") yield { risk: "harmless", reason: `Flux uninstalls ${name}` };
  if (change !== "changed") return;
  for (const field of fields) {
    if (field.path === "spec.values.webhookFailurePolicy") yield webhookPolicy(field);
    if (field.path.startsWith("spec.values.podAnnotations"))
      yield { risk: "harmless", reason: "its pods restart; they hold no data" };
  }
}

function webhookPolicy({ after }: FieldChange): Assessment {
  return {
    risk: "webhook-policy",
    reason:
      after === "Fail"
        ? "from now on pods are refused while no injector answers"
        : "from now on pods start without a proxy while no injector answers, and policies refuse them",
  };
}
