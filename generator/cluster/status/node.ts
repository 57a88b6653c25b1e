import type { KubernetesObject } from "../../kubernetes/object.ts";
import type { Cause, Subject } from "./cause.ts";
import type { Snapshot } from "./snapshot.ts";
import { workloadState } from "./workload-state.ts";

export type NodeState = "ready" | "progressing" | "waiting" | "failed" | "suspended" | "missing";

/** An object of the environment, with its state and its child objects. */
export interface StatusNode {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: NodeState;
  /** Revision, chart version or number of replicas. Null if the object has none of these values. */
  readonly detail: string | null;
  /** Why the object is not ready; null if the object is ready. */
  readonly cause: Cause | null;
  readonly children: readonly StatusNode[];
}

/** Whether all objects are ready. */
export function allReady(nodes: readonly StatusNode[]): boolean {
  return nodes.every(({ state, children }) => state === "ready" && allReady(children));
}

/**
 * Returns the state of a workload. The child nodes are the pods of the workload that are not ready.
 *
 * @param owner environment, placement and component of the workload
 */
export function workloadNode(
  workload: KubernetesObject,
  snapshot: Snapshot,
  owner: Pick<Subject, "environment" | "placement" | "component">,
): StatusNode {
  const { kind, metadata } = workload;
  const { name, namespace = "" } = metadata;
  const subject = { ...owner, kind, namespace, name };
  const { ready, replicas, readyReplicas, meshed, cause, pods } = workloadState(workload, snapshot, subject);
  const mesh = meshed === null ? "" : `, ${meshed} meshed`;
  const stateOf = (reason: Cause | null): NodeState =>
    reason === null || reason.code === "progressing" ? "progressing" : "failed";
  const children = pods.map(
    (pod): StatusNode => ({
      kind: "Pod",
      namespace,
      name: pod.name,
      state: stateOf(pod.cause),
      detail: null,
      cause: pod.cause,
      children: [],
    }),
  );
  const detail = `${readyReplicas}/${replicas}${mesh}`;
  return { kind, namespace, name, state: ready ? "ready" : stateOf(cause), detail, cause, children };
}
