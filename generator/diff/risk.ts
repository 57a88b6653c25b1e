import type { Assessment, ChangedObject } from "../components/change-rule.ts";
import { providers } from "../components/registry.ts";
import { gravest, risks } from "../components/risk-levels.ts";
import { accessRisks } from "./risks/access.ts";
import { identityRisks } from "./risks/identity.ts";
import { releaseRisks } from "./risks/release.ts";
import { workloadRisks } from "./risks/workload.ts";

/** Assesses one change, given all changes. Yields nothing if the function does not apply to the change. */
type Judge = (changed: ChangedObject, all: readonly ChangedObject[]) => Iterable<Assessment>;

const judges: readonly Judge[] = [
  identityRisks,
  ...providers.flatMap(({ changeRules = [] }) =>
    changeRules.map(
      (rule): Judge =>
        (changed, all) =>
          rule.assess(changed, all),
    ),
  ),
  releaseRisks,
  accessRisks,
  workloadRisks,
];

/** Returns the highest risk of a change, and all reasons. The reasons for the highest risk come first. */
export function riskOf(changed: ChangedObject, all: readonly ChangedObject[]): Assessment {
  const found = judges.flatMap((judge) => [...judge(changed, all)]);
  const risk = gravest(found.map((judgement) => judgement.risk));
  const relevant = found.filter((judgement) => risk === "harmless" || judgement.risk !== "harmless");
  const reasons = [...risks]
    .reverse()
    .flatMap((level) => relevant.filter((judgement) => judgement.risk === level).map(({ reason }) => reason));
  return { risk, reason: reasons.length === 0 ? byDefault(changed) : [...new Set(reasons)].join("; ") };
}

function byDefault({ change, kind, fields }: ChangedObject): string {
  if (change === "added") return "the object is new; no running workload changes";
  if (change === "removed")
    return kind === "Helmfile" || kind === "Overlay" ? "meshops no longer generates this file" : "Flux deletes this object";
  return fields.length === 0 ? "only the order or the layout differs" : "Flux updates the existing object";
}
