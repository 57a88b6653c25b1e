import type { Assessed, ChangedObject, ChangeRule, ChangeSet, Procedure, Step } from "../components/change-rule.ts";
import { providers } from "../components/registry.ts";
import { highestOf, type Risk, risks } from "../components/risk-levels.ts";
import { at } from "../kubernetes/object-fields.ts";
import { combineProcedures, separateCommits } from "./procedure.ts";
import { accessRisks } from "./risks/access.ts";
import { ageSecretRisk } from "./risks/age-key.ts";
import { deliveryRisks } from "./risks/delivery.ts";
import { helmfileRisks } from "./risks/helmfile.ts";
import { ownershipRisks } from "./risks/installation.ts";
import { meshRestartRisks } from "./risks/mesh-restart.ts";
import { mirroredImages, pullSecretRisks } from "./risks/mirror.ts";
import { namespaceRisks } from "./risks/namespace.ts";
import { workloadRisks } from "./risks/objects.ts";
import { placementRisks } from "./risks/placement.ts";
import { releaseRisks } from "./risks/release.ts";

/** The rules about all components, and the rules of each component. */
const rules: readonly ChangeRule["assess"][] = [
  ageSecretRisk,
  placementRisks,
  ownershipRisks,
  namespaceRisks,
  meshRestartRisks,
  ...providers.flatMap(({ changeRules = [] }) => changeRules.map(({ assess }) => assess)),
  deliveryRisks,
  releaseRisks,
  mirroredImages,
  pullSecretRisks,
  helmfileRisks,
  accessRisks,
  workloadRisks,
];

/**
 * Returns the highest risk of a change, all reasons, and all steps. The reasons and steps for the highest risk come
 * first.
 */
export function riskOf(changed: ChangedObject, all: ChangeSet): Assessed {
  if (isSuspended(changed))
    return {
      risk: "harmless",
      reason: "this HelmRelease has suspend: true. Flux applies this change only after you set suspend to false",
      steps: [],
    };
  const found = rules.flatMap((assess) => [...assess(changed, all)]);
  const risk = highestOf(found.map((assessment) => assessment.risk));
  // A restart of the whole mesh includes the rollout of each workload. The assessments of rollouts are therefore
  // omitted, unless they have prerequisites.
  const omitted: readonly Risk[] = risk === "harmless" ? [] : risk === "mesh-restart" ? ["harmless", "rollout"] : ["harmless"];
  const relevant = found.filter(({ risk: own, prerequisites }) => !omitted.includes(own) || prerequisites !== undefined);
  const ordered = [...risks].reverse().flatMap((level) => relevant.filter((assessment) => assessment.risk === level));
  const reasons = [...new Set(ordered.map(({ reason }) => reason))];
  const procedures: Procedure[] = ordered.flatMap(({ risk: own, reason, prerequisites = [], steps = [] }) => [
    { risk: own, reason, steps: prerequisites.map((step): Step => ({ phase: "before", ...step })) },
    { risk: own, reason, steps },
  ]);
  return {
    risk,
    reason: reasons.length === 0 ? byDefault(changed, all) : reasons.join("\n"),
    ...withProcedures(procedures.filter(({ steps }) => steps.length > 0)),
  };
}

/** Whether a HelmRelease is suspended after the change, so that Flux does not apply the change. */
function isSuspended({ kind, change, after }: ChangedObject): boolean {
  return kind === "HelmRelease" && change === "changed" && at(after, "spec", "suspend") === true;
}

function byDefault({ change, kind, fields }: ChangedObject, { objects }: ChangeSet): string {
  if (change === "added") return "this object is new; no running workload changes";
  if (change === "removed")
    return kind === "Helmfile" || kind === "Overlay"
      ? "meshops no longer generates this file"
      : objects.some((other) => other.kind === "Kustomization" && other.change === "removed")
        ? "Flux deletes this object. To keep the object, suspend its Kustomization before you push"
        : "Flux deletes this object";
  if (kind === "HelmRelease") return "only the Flux settings of this release change; the installed objects stay the same";
  return fields.length === 0 ? "only the order or the layout of the object's fields differs" : "Flux updates the existing object";
}

/** Returns procedures, and all their steps in one list. */
function withProcedures(procedures: readonly Procedure[]): Pick<Assessed, "steps" | "procedures"> {
  const combined = combineProcedures(procedures);
  const steps = combined.kind === "one" ? combined.steps : [separateCommits];
  return { steps, procedures };
}
