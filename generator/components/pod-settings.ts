import type { JsonMap } from "../kubernetes/object.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Patch } from "./patch.ts";

/** Settings in a spec that configure how pods run. */
export type PodSettings = Pick<
  Environment["spec"]["dgraph"]["alpha"],
  "resources" | "nodeSelector" | "tolerations" | "topologySpread" | "priorityClassName" | "podDisruptionBudget"
>;

/** A workload that a patch changes. The namespace is omitted if the chart does not render a namespace. */
interface PatchedWorkload {
  readonly kind: "Deployment" | "StatefulSet";
  readonly metadata: { readonly name: string; readonly namespace?: string };
  /** Label selector of the pods. */
  readonly selector: JsonMap;
}

/** Returns a map without the entries whose value is undefined. */
export function given(values: Readonly<Record<string, unknown>>): JsonMap {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as JsonMap;
}

/**
 * Returns a list with one patch that sets the given topology spread and priority class of pods. Use this patch if the
 * chart has no values for these fields. Returns an empty list if neither field is given.
 */
export function podPatches(
  { kind, metadata, selector }: PatchedWorkload,
  { topologySpread = [], priorityClassName }: Pick<PodSettings, "topologySpread" | "priorityClassName">,
): Patch[] {
  const topologySpreadConstraints = topologySpread.map((constraint) => ({ ...constraint, labelSelector: selector }));
  const spec = given({
    priorityClassName,
    topologySpreadConstraints: topologySpread.length === 0 ? undefined : topologySpreadConstraints,
  });
  if (Object.keys(spec).length === 0) return [];
  return [{ patch: { apiVersion: "apps/v1", kind, metadata, spec: { template: { spec } } } }];
}
