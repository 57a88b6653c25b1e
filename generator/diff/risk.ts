import type { Assessment, ChangedObject } from "../components/change-rule.ts";
import { providers } from "../components/registry.ts";
import { gravest, risks } from "../components/risk-levels.ts";
import { accessRisks } from "./risks/access.ts";
import { identityRisks } from "./risks/identity.ts";
import { releaseRisks } from "./risks/release.ts";
import { workloadRisks } from "./risks/workload.ts";

/** Finds what a change does, beside all the others; nothing where it knows nothing of it. */
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

/** The gravest thing that a change does, and all that there is to know of it, the gravest first. */
export function riskOf(changed: ChangedObject, all: readonly ChangedObject[]): Assessment {
  const found = judges.flatMap((judge) => [...judge(changed, all)]);
  const risk = gravest(found.map((judgement) => judgement.risk));
  const grave = found.filter((judgement) => risk === "harmless" || judgement.risk !== "harmless");
  const reasons = [...risks]
    .reverse()
    .flatMap((level) => grave.filter((judgement) => judgement.risk === level).map(({ reason }) => reason));
  return { risk, reason: reasons.length === 0 ? byDefault(changed) : [...new Set(reasons)].join("; ") };
}

function byDefault({ change, kind, fields }: ChangedObject): string {
  if (change === "added") return "new, and nothing that runs is touched";
  if (change === "removed") return kind === "Helmfile" || kind === "Overlay" ? "no longer generated" : "Flux removes it";
  return fields.length === 0 ? "only the order or the layout differs" : "applied in place";
}
