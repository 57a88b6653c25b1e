import type { KubernetesObject } from "./object.ts";
import { at, isObserved } from "./object-fields.ts";

/** State of the rollout of a Deployment, a StatefulSet or a DaemonSet. */
export interface Rollout {
  /** Whether all pods have the current template and are ready, and the controller has observed the latest spec. */
  readonly complete: boolean;
  readonly replicas: number;
  readonly readyReplicas: number;
}

/** Returns the state of a workload's rollout, from the fields that `kubectl rollout status` reads. */
export function rolloutOf(workload: KubernetesObject): Rollout {
  const { status } = workload;
  const replicas = Number(at(workload, "spec", "replicas") ?? at(status, "desiredNumberScheduled") ?? 1);
  const readyReplicas = Number(at(status, "readyReplicas") ?? at(status, "numberReady") ?? 0);
  const complete = isObserved(workload) && readyReplicas >= replicas && isUpdated(workload, replicas);
  return { complete, replicas, readyReplicas };
}

function isUpdated({ kind, status }: KubernetesObject, replicas: number): boolean {
  if (kind === "StatefulSet") return replicas === 0 || at(status, "currentRevision") === at(status, "updateRevision");
  if (kind === "DaemonSet") return Number(at(status, "updatedNumberScheduled") ?? 0) >= replicas;
  return Number(at(status, "updatedReplicas") ?? 0) >= replicas && Number(at(status, "replicas") ?? 0) === replicas;
}
