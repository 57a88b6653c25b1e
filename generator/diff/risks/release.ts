import { type AssessedValues, isAssessed, isGeneratedPatch, unassessedValues } from "../../components/assessed.ts";
import type { Assessment, ChangedObject, ChangeSet, FieldChange } from "../../components/change-rule.ts";
import { providers } from "../../components/registry.ts";
import { dataInRelease } from "./data-in-memory.ts";
import { isHandedOver } from "./installation.ts";

/** Risks of changes to the Helm releases of all components. */
export function* releaseRisks({ kind, name, change, fields }: ChangedObject, { objects }: ChangeSet): Iterable<Assessment> {
  if (kind !== "HelmRelease") return;
  if (change === "removed") yield uninstalled(name, objects);
  if (change !== "changed") return;
  yield* values(name, fields);
  for (const field of fields) {
    if (field.path === "spec.values.webhookFailurePolicy") yield webhookPolicy(field);
    if (field.path.startsWith("spec.postRenderers") && !isGeneratedPatch(field))
      yield { risk: "not-assessed", reason: "meshops cannot assess the effect of the changed patch in spec.postRenderers" };
    if (field.path === "spec.suspend" && field.after !== true)
      yield {
        risk: "not-assessed",
        reason:
          "Flux now applies all changes of this HelmRelease that were pushed while it was suspended. To see the risks of these changes, compare with a commit from before the suspension (meshops diff --from)",
      };
  }
}

function uninstalled(name: string, objects: readonly ChangedObject[]): Assessment {
  // If another tool takes over Linkerd, the user suspends the HelmRelease, and nothing is uninstalled.
  const lost = isHandedOver(objects) ? null : dataInRelease(name);
  const reason = `Flux uninstalls ${name}`;
  return lost === null ? { risk: "harmless", reason } : { risk: "rollout", reason: `${reason}, and ${lost} are lost` };
}

function assessedOf(name: string): AssessedValues | undefined {
  return providers.flatMap(({ assessedValues }) => assessedValues ?? []).find(({ helmRelease }) => helmRelease === name);
}

function* values(name: string, fields: readonly FieldChange[]): Iterable<Assessment> {
  const known = assessedOf(name);
  const paths = known?.paths ?? [];
  const unknown = unassessedValues(fields, paths);
  if (unknown.length > 0)
    yield { risk: "not-assessed", reason: `meshops cannot assess the effect of these chart values: ${unknown.join(", ")}` };
  if (known?.effect != null && fields.some((field) => isAssessed(field, paths))) yield { risk: "rollout", reason: known.effect };
}

function webhookPolicy({ after }: FieldChange): Assessment {
  return {
    risk: "webhook-policy",
    reason:
      after === "Fail"
        ? "the API server rejects new pods while the injector is unavailable"
        : "pods that start while the injector is unavailable have no proxy and no mesh identity. Servers that require an identity refuse these pods",
  };
}
