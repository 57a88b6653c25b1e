import { injectKey } from "../../catalog/well-known.ts";
import { isGeneratedPatch } from "../../components/assessed.ts";
import type { Assessment, ChangedObject, ChangeSet, FieldChange } from "../../components/change-rule.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { dataInDeployment } from "./data-in-memory.ts";
import { isHandedOver } from "./installation.ts";
import { injection } from "./namespace.ts";

/** Risks of changes to Deployments, Flux Kustomizations, routes, and files. */
export function* workloadRisks(
  { kind, name, namespace, change, fields, before }: ChangedObject,
  { objects }: ChangeSet,
): Iterable<Assessment> {
  const data = kind === "Deployment" ? dataInDeployment(namespace, name) : null;
  if (data !== null && change === "removed" && !isHandedOver(objects))
    yield { risk: "rollout", reason: `Flux deletes the Deployment ${name}, and ${data} are lost` };
  if (kind === "Deployment" && change === "changed") {
    for (const { path, before, after } of fields)
      if (path.endsWith(`"${injectKey}"`)) yield injection(`the pods of ${name}`, before, after);
    yield data === null
      ? { risk: "harmless", reason: `the pods of ${name} restart` }
      : { risk: "rollout", reason: `the pods of ${name} restart. Without a persistent volume, ${data} are lost` };
  }
  if (kind === "Kustomization" && change === "removed")
    yield {
      risk: "harmless",
      reason:
        at(before, "spec", "suspend") === true || at(before, "spec", "prune") === false
          ? `Flux keeps the objects of the component ${name}, because the Kustomization of this component has suspend: true or prune: false`
          : `Flux deletes the objects of the component ${name}, except objects that are annotated with prune: disabled. If you suspend the Kustomization of this component before you push, Flux keeps all objects of the component`,
    };
  if (kind === "ServiceProfile" && change !== "removed")
    for (const { path, after } of fields)
      if (path.endsWith(".isRetryable") && after === true)
        yield {
          risk: "not-assessed",
          reason: `proxies retry calls to ${/\[(.*)\]/.exec(path)?.[1] ?? "a method"} after any failure. A call that changes data can then change the data twice`,
        };
  if ((kind === "ServiceProfile" || kind === "GRPCRoute") && change !== "added")
    yield {
      risk: "harmless",
      reason:
        change === "removed" && kind === "ServiceProfile" && hasRoutes(namespace, objects)
          ? "GRPCRoutes replace this ServiceProfile. The GRPCRoutes now determine the metrics, retries and timeouts of the calls. Proxies retry a call only if its GRPCRoute has the annotation retry.linkerd.io/grpc, and only after the status codes in this annotation (meshops sets unavailable)"
          : change === "removed"
            ? `calls to ${name} no longer have metrics, retries and timeouts per method`
            : "retries, timeouts and metrics of calls change; no pod restarts",
    };
  if (kind === "File")
    yield {
      risk: "data-loss",
      reason: "the old or the new version of this file is not valid YAML, so any object in this file might change",
    };
  if (kind === "Patch") yield { risk: "not-assessed", reason: "meshops does not assess what this patch changes" };
  if (kind === "Overlay" && change === "changed") yield* overlay(fields);
}

/** Whether one of the changed objects is a new GRPCRoute in the namespace. */
function hasRoutes(namespace: string, objects: readonly ChangedObject[]): boolean {
  return objects.some((other) => other.kind === "GRPCRoute" && other.change === "added" && other.namespace === namespace);
}

/**
 * Risks of a changed kustomization.yaml. The patches and images in this file change objects of the base. The generated
 * files do not contain these objects, so meshops does not know the effect of a patch.
 */
function* overlay(fields: readonly FieldChange[]): Iterable<Assessment> {
  for (const { path, before, after } of fields) {
    const text = JSON.stringify([before, after]);
    if (isGeneratedPatch({ path, before, after })) continue;
    if (path.startsWith("patches") && (/\.(patch|target)\b/.test(path) || text.includes('"patch":')))
      yield { risk: "not-assessed", reason: "meshops does not assess the effect of the changed patch in this file" };
    if (path.startsWith("images"))
      yield {
        risk: "rollout",
        reason: "pods with this image restart. If the registry does not contain the new image, the new pods do not start",
      };
  }
  yield { risk: "harmless", reason: "the component's kustomization.yaml changes" };
}
