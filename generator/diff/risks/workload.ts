import { injectKey } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject } from "../../components/change-rule.ts";
import { injection } from "./access.ts";

/** Deployments of our own, Flux's Kustomizations, and what only describes. */
export function* workloadRisks({ kind, name, change, fields }: ChangedObject): Iterable<Assessment> {
  if (kind === "Deployment" && change === "changed") {
    for (const { path, after } of fields)
      if (path.endsWith(`"${injectKey}"`)) yield injection(`the pods of ${name}`, after === "enabled");
    yield { risk: "harmless", reason: `the pods of ${name} restart; they hold no data` };
  }
  if (kind === "Kustomization" && change === "removed")
    yield { risk: "harmless", reason: `Flux removes the component ${name}, but for what is marked prune: disabled` };
  if ((kind === "ServiceProfile" || kind === "GRPCRoute") && change !== "added")
    yield {
      risk: "harmless",
      reason:
        change === "removed"
          ? `calls of ${name} are no longer counted, retried and limited by method`
          : "retries, timeouts and metrics of calls change; no pod restarts",
    };
  if (kind === "File") yield { risk: "data-loss", reason: "one of its two states is no YAML, so whatever it stated may change" };
  if (kind === "Helmfile") yield { risk: "harmless", reason: "the same for helmfile, which Flux does not read" };
  if (kind === "Overlay" && change === "changed") yield { risk: "harmless", reason: "how kustomize puts the component together" };
}
