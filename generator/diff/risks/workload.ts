import { injectKey } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject } from "../../components/change-rule.ts";
import { injection } from "./access.ts";

/** Risks of changes to Deployments, Flux Kustomizations, routes, and files. */
export function* workloadRisks({ kind, name, change, fields }: ChangedObject): Iterable<Assessment> {
  if (kind === "Deployment" && change === "changed") {
    for (const { path, before, after } of fields)
      if (path.endsWith(`"${injectKey}"`)) yield injection(`the pods of ${name}`, before, after);
    yield { risk: "harmless", reason: `the pods of ${name} restart; these pods store no data` };
  }
  if (kind === "Kustomization" && change === "removed")
    yield {
      risk: "harmless",
      reason: `Flux deletes the objects of the component ${name}, except objects that are annotated with prune: disabled`,
    };
  if ((kind === "ServiceProfile" || kind === "GRPCRoute") && change !== "added")
    yield {
      risk: "harmless",
      reason:
        change === "removed"
          ? `metrics, retries and timeouts per method are removed for calls to ${name}`
          : "retries, timeouts and metrics of calls change; no pod restarts",
    };
  if (kind === "File")
    yield {
      risk: "data-loss",
      reason: "the old or the new version of this file is not valid YAML, so any object in this file might change",
    };
  if (kind === "Helmfile")
    yield { risk: "harmless", reason: "this file contains the same change for helmfile; Flux does not use this file" };
  if (kind === "Overlay" && change === "changed")
    yield { risk: "harmless", reason: "the component's kustomization.yaml changes" };
}
