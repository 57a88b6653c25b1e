import type { Changed, Judgement } from "./assessment.ts";
import { gravest, risks } from "./risk-levels.ts";
import { accessRisks } from "./risks/access.ts";
import { identityRisks } from "./risks/identity.ts";
import { releaseRisks } from "./risks/release.ts";
import { workloadRisks } from "./risks/workload.ts";

/** Finds what a change does, beside all the others; nothing where it knows nothing of it. */
type Judge = (changed: Changed, all: readonly Changed[]) => Iterable<Judgement>;

const judges: readonly Judge[] = [identityRisks, releaseRisks, accessRisks, workloadRisks];

/** The gravest thing that a change does, and all that there is to know of it, the gravest first. */
export function riskOf(changed: Changed, all: readonly Changed[]): Judgement {
  const found = judges.flatMap((judge) => [...judge(changed, all)]);
  const risk = gravest(found.map((judgement) => judgement.risk));
  const grave = found.filter((judgement) => risk === "harmless" || judgement.risk !== "harmless");
  const reasons = [...risks]
    .reverse()
    .flatMap((level) => grave.filter((judgement) => judgement.risk === level).map(({ reason }) => reason));
  return { risk, reason: reasons.length === 0 ? byDefault(changed) : [...new Set(reasons)].join("; ") };
}

function byDefault({ change, kind, fields }: Changed): string {
  if (change === "added") return "new, and nothing that runs is touched";
  if (change === "removed") return kind === "Helmfile" || kind === "Overlay" ? "no longer generated" : "Flux removes it";
  return fields.length === 0 ? "only the order or the layout differs" : "applied in place";
}
