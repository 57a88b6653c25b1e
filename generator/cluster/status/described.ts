import { placementOf } from "../../bundle/emit/placement.ts";
import { isDelivered, type Model } from "../../components/model.ts";
import { isWorkload } from "../../components/names.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { isLive, proxyOf } from "../../mesh/pod.ts";
import { isInSet, isProtected, type PodSet } from "../../mesh/pod-set.ts";
import { specFile } from "../../spec/layout.ts";
import { plural } from "../../system/text.ts";
import type { Cause } from "./cause.ts";
import { type StatusNode, workloadNode } from "./node.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Returns the state of the pods of the workloads in the spec: one node per set of pods. If the spec describes a set of
 * pods incorrectly, the node of this set has the state `failed`, because the policies then protect the wrong pods or
 * admit the wrong clients. For a workload that meshops delivers, the result contains only the sets that the spec
 * describes incorrectly. The node of the workload's Kustomization already contains the other pods. Pure.
 */
export function describedNodes(model: Model, snapshot: Snapshot): StatusNode[] {
  return model.components.filter(isWorkload).flatMap((component) => {
    const nodes = component.pods.map((set) => setNode(component.id, set, model, snapshot));
    return isDelivered(component) ? nodes.filter(({ cause }) => cause !== null && wrongCodes.includes(cause.code)) : nodes;
  });
}

/** Codes of the causes that report an error in the description of a set of pods. */
const wrongCodes: readonly string[] = ["description", "not-meshed"];

function setNode(component: string, set: PodSet, { environment }: Model, snapshot: Snapshot): StatusNode {
  const pods = snapshot.pods.filter((pod) => isInSet(pod, set) && isLive(pod));
  const found = workloadOf(set, snapshot);
  const owner = { environment: environment.metadata.name, placement: placementOf(environment), component };
  const node: StatusNode =
    found === undefined ? podsNode(set, pods) : { ...workloadNode(found, snapshot, owner), kind: "Pods", name: set.title };
  const cause = node.state === "missing" ? null : wrongDescription(set, pods, found, specFile(environment.metadata.name));
  return cause === null ? node : { ...node, state: "failed", cause };
}

/**
 * Returns the workload that creates the pods of a set (`workloadRef`). Returns undefined if the spec does not specify
 * this workload, or if the snapshot does not contain this workload.
 */
function workloadOf({ workloadRef, namespace }: PodSet, { workloads }: Snapshot): KubernetesObject | undefined {
  return workloads.find(
    ({ kind, metadata }) => kind === workloadRef?.kind && metadata.name === workloadRef.name && metadata.namespace === namespace,
  );
}

function podsNode({ title, namespace, workloadRef }: PodSet, pods: readonly KubernetesObject[]): StatusNode {
  const node = { kind: "Pods", namespace, name: title, children: [] };
  const read = ["Deployment", "StatefulSet", "DaemonSet"].includes(workloadRef?.kind ?? "");
  // A workload of a kind other than these three, such as a Job, has pods only while it runs, so missing pods are not an
  // error.
  if (pods.length > 0 || (workloadRef !== null && !read))
    return { ...node, state: "ready", detail: plural(pods.length, "pod"), cause: null };
  const reason =
    workloadRef !== null
      ? `${workloadRef.kind} ${workloadRef.name} does not exist in namespace ${namespace}`
      : `no pod in namespace ${namespace} matches the selector in the spec`;
  return {
    ...node,
    state: "missing",
    detail: null,
    cause: {
      code: "missing",
      reason,
      fix: "deploy the workload with your deployment tool, or correct its section in spec.workloads",
    },
  };
}

/**
 * Compares the description of a set of pods in the spec with the pods in the cluster. Returns the first difference as a
 * cause; null if the description is correct.
 */
function wrongDescription(
  set: PodSet,
  pods: readonly KubernetesObject[],
  workload: KubernetesObject | undefined,
  file: string,
): Cause | null {
  const field = `workloads.${set.title.replace("/", ".pods.")}`;
  const wrong = (reason: string, part: string): Cause => ({
    code: "description",
    reason,
    fix: `correct ${field}.${part} in ${file}, run meshops generate, and push`,
  });
  const wanted = Number(at(workload, "status", "replicas") ?? at(workload, "status", "currentNumberScheduled") ?? 0);
  if (pods.length === 0 && wanted > 0)
    return wrong(
      `the selector in the spec matches none of the ${plural(wanted, "pod")} of ${workload?.kind} ${workload?.metadata.name}`,
      "selector",
    );
  const accounts = [...new Set(pods.map((pod) => String(at(pod, "spec", "serviceAccountName") ?? "default")))];
  const other = accounts.find((name) => name !== set.serviceAccountName);
  if (other !== undefined)
    return wrong(
      `the pods have the service account ${other}, but the spec declares ${set.serviceAccountName}. Policies that list these pods as a client therefore admit ${set.serviceAccountName} instead of ${other}`,
      "serviceAccountName",
    );
  const bare = pods.filter((pod) => proxyOf(pod) === undefined);
  if (!isProtected(set) || bare.length === 0) return null;
  return {
    code: "not-meshed",
    reason: `${bare.length} of ${plural(pods.length, "pod")} ${bare.length === 1 ? "has" : "have"} no proxy, so Linkerd does not check which clients connect to ${bare.length === 1 ? "this pod" : "these pods"}`,
    fix: `set the annotation linkerd.io/inject: enabled on the namespace or on the pod template, and restart the pods; or set ${field}.access.mode: off`,
  };
}
