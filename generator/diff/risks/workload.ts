import { injectKey } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject } from "../../components/change-rule.ts";
import { injection } from "./access.ts";

/** Risks of changes to Deployments, Flux Kustomizations, routes, and files. */
export function* workloadRisks({ kind, name, change, fields }: ChangedObject): Iterable<Assessment> {
  if (kind === "Deployment" && change === "changed") {
    for (const { path, after } of fields)
      if (path.endsWith(`"${injectKey}"`)) yield injection(`the pods of ${name}`, after === "enabled");
    yield { risk: "harmless", reason: `the pods of ${name} restart; they store no data` };
  }
  if (kind === "Kustomization" && change === "removed")
    yield { risk: "harmless", reason: `Flux removes the component ${name}, except objects marked prune: disabled` };
  if ((kind === "ServiceProfile" || kind === "GRPCRoute") && change !== "added")
    yield {
      risk: "harmless",
      reason:
        change === "removed"
          ? `calls to ${name} no longer have metrics, retries and timeouts per method`
          : "retries, timeouts and metrics of calls change; no pod restarts",
    };
  if (kind === "File")
    yield { risk: "data-loss", reason: "one of its two versions is not valid YAML, so any object in it may change" };
  if (kind === "Helmfile") yield { risk: "harmless", reason: "the same change for helmfile; Flux does not read this file" };
  if (kind === "Overlay" && change === "changed")
    yield { risk: "harmless", reason: "the component's kustomization.yaml changes" };
}
