import type { Assessment, ChangedObject, ChangeSet, Step, Verdict } from "../components/change-rule.ts";
import { providers } from "../components/registry.ts";
import { gravest, type Risk, risks } from "../components/risk-levels.ts";
import { accessRisks } from "./risks/access.ts";
import { ageSecretRisk } from "./risks/age-key.ts";
import { identityRisks } from "./risks/identity.ts";
import { meshRestartRisks } from "./risks/mesh-restart.ts";
import { mirroredImages } from "./risks/mirror.ts";
import { releaseRisks } from "./risks/release.ts";
import { workloadRisks } from "./risks/workload.ts";

/** Assesses one change, given all changes. Yields nothing if the function does not apply to the change. */
type Judge = (changed: ChangedObject, all: ChangeSet) => Iterable<Assessment>;

const judges: readonly Judge[] = [
  identityRisks,
  ageSecretRisk,
  meshRestartRisks,
  ...providers.flatMap(({ changeRules = [] }) =>
    changeRules.map(
      (rule): Judge =>
        (changed, all) =>
          rule.assess(changed, all),
    ),
  ),
  releaseRisks,
  mirroredImages,
  accessRisks,
  workloadRisks,
];

/**
 * Returns the highest risk of a change, all reasons, and all steps. The reasons and steps for the highest risk come
 * first.
 */
export function riskOf(changed: ChangedObject, all: ChangeSet): Verdict {
  const found = judges.flatMap((judge) => [...judge(changed, all)]);
  const risk = gravest(found.map((judgement) => judgement.risk));
  // A restart of the whole mesh includes the rollout of each workload.
  const omitted: readonly Risk[] = risk === "harmless" ? [] : risk === "mesh-restart" ? ["harmless", "rollout"] : ["harmless"];
  const relevant = found.filter((judgement) => !omitted.includes(judgement.risk));
  const ordered = [...risks].reverse().flatMap((level) => relevant.filter((judgement) => judgement.risk === level));
  const reasons = [...new Set(ordered.map(({ reason }) => reason))];
  const steps = new Map<string, Step>();
  for (const step of [
    ...ordered.flatMap(({ prerequisites = [] }) => prerequisites),
    ...ordered.flatMap((judgement) => judgement.steps ?? []),
  ])
    steps.set(JSON.stringify(step), step);
  return { risk, reason: reasons.length === 0 ? byDefault(changed) : reasons.join("; "), steps: [...steps.values()] };
}

function byDefault({ change, kind, fields }: ChangedObject): string {
  if (change === "added") return "the object is new; no running workload changes";
  if (change === "removed")
    return kind === "Helmfile" || kind === "Overlay" ? "meshops no longer generates this file" : "Flux deletes this object";
  if (kind === "HelmRelease") return "Helm upgrades the release, and pods of this release can restart; these pods store no data";
  return fields.length === 0 ? "only the order or the layout differs" : "Flux updates the existing object";
}
