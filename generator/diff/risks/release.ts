import type { Assessment, ChangedObject, FieldChange } from "../../components/change-rule.ts";

/** Risks of changes to the Helm releases of all components. */
export function* releaseRisks({ kind, name, change, fields }: ChangedObject): Iterable<Assessment> {
  if (kind !== "HelmRelease") return;
  if (change === "removed") yield { risk: "harmless", reason: `Flux uninstalls ${name}` };
  if (change !== "changed") return;
  for (const field of fields) {
    if (field.path === "spec.values.webhookFailurePolicy") yield webhookPolicy(field);
    // The rules of the components assess the patches that meshops generates for StatefulSets and Services.
    if (field.path.startsWith("spec.postRenderers") && !/^spec\.postRenderers\."(StatefulSet|Service)\//.test(field.path))
      yield {
        risk: "rollout",
        reason: "meshops does not assess what this patch changes; pods of patched workloads can restart",
      };
    if (field.path === "spec.suspend")
      yield {
        risk: "harmless",
        reason: field.after === true ? "Flux no longer changes this release" : "Flux applies the release again",
      };
    if (field.path.startsWith("spec.values.podAnnotations"))
      yield { risk: "rollout", reason: "the pods of this release restart one by one; these pods store no data" };
  }
}

function webhookPolicy({ after }: FieldChange): Assessment {
  return {
    risk: "webhook-policy",
    reason:
      after === "Fail"
        ? "the API server rejects new pods while the injector is unavailable"
        : "pods that start while the injector is unavailable have no proxy, and policies deny these pods",
  };
}
