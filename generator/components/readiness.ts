import { lostSecrets } from "../identity/cluster-certificates.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at } from "../kubernetes/object-fields.ts";
import { plural } from "../system/text.ts";
import type { ClusterState } from "./check.ts";
import { type Finding, failed, passed } from "./finding.ts";

/** Whether all workloads of a namespace are ready, and all Secrets that their pods mount exist. */
export function readyIn({ workloads, pods, identity }: ClusterState, namespace: string): Finding {
  const own = workloads.filter(({ metadata }) => metadata.namespace === namespace);
  const count = ({ status }: KubernetesObject): number => Number(at(status, "readyReplicas") ?? 0);
  const left = own.filter((workload) => count(workload) < Number(at(workload, "spec", "replicas") ?? 1));
  const names = left.map(({ kind, metadata }) => `${kind} ${namespace}/${metadata.name} is not ready`);
  if (own.length === 0) return failed("there is none", `nothing runs in ${namespace}: meshops status`);
  const lost = lostSecrets(
    identity,
    pods.filter(({ metadata }) => metadata.namespace === namespace),
  );
  if (lost.length > 0)
    return failed(
      `${plural(lost.length, "Secret")} missing`,
      "pods run on with what they have mounted, and do not start again without it: flux reconcile kustomization identity",
      [...names, ...lost.map(([secret, { metadata }]) => `pod ${metadata.name} mounts Secret ${secret}, which does not exist`)],
    );
  return left.length === 0
    ? passed(`${own.length} workloads ready`)
    : failed(`${left.length} of ${own.length} not ready`, "meshops status says why", names);
}
