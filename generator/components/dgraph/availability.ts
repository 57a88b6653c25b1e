import type { DgraphRole } from "../../catalog/dgraph.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import type { PodSettings } from "../pod-settings.ts";

/**
 * Resource requests of the pods if `dgraph.highAvailability` is true. The scheduler needs these requests to spread the
 * pods.
 */
const requests = { alpha: { cpu: "500m", memory: "2Gi" }, zero: { cpu: "100m", memory: "256Mi" } } as const;

/** Topology spread over zones and nodes. These constraints never prevent a pod from running. */
const spread = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: "ScheduleAnyway" as const,
}));

/** Returns the settings of a role's pods. Settings in the spec replace the defaults for high availability. */
export function podSettingsOf({ spec: { dgraph } }: Environment, role: DgraphRole): PodSettings {
  const own = dgraph[role];
  if (!dgraph.highAvailability) return own;
  return {
    ...own,
    resources: own.resources ?? { requests: requests[role] },
    topologySpread: own.topologySpread ?? spread,
    podDisruptionBudget: own.podDisruptionBudget ?? { maxUnavailable: 1 },
  };
}
