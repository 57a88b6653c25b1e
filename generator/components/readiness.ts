import { lostSecrets } from "../identity/cluster-certificates.ts";
import { rolloutOf } from "../kubernetes/rollout.ts";
import { plural } from "../system/text.ts";
import type { ClusterState } from "./check.ts";
import { type CheckResult, failed, passed } from "./check-result.ts";

/** Checks that all workloads of a namespace are ready, and that all Secrets that the namespace's pods mount exist. */
export function readyIn({ workloads, pods, identity }: ClusterState, namespace: string): CheckResult {
  const found = workloads.filter(({ metadata }) => metadata.namespace === namespace);
  const notReady = found.filter((workload) => !rolloutOf(workload).complete);
  const names = notReady.map(({ kind, metadata }) => `${kind} ${namespace}/${metadata.name} is not ready`);
  if (found.length === 0)
    return failed("no workloads", {
      reason: `the namespace ${namespace} contains no workloads`,
      fix: "run meshops status to see the reason",
    });
  const lost = lostSecrets(
    identity,
    pods.filter(({ metadata }) => metadata.namespace === namespace),
  );
  if (lost.length > 0)
    return failed(
      `${plural(lost.length, "Secret")} missing`,
      {
        reason: "new pods cannot start without these Secrets. Running pods keep the mounted data",
        fix: "run meshops status, which prints the command that creates the Secrets again",
      },
      [...names, ...lost.map(([secret, { metadata }]) => `pod ${metadata.name} mounts Secret ${secret}, which does not exist`)],
    );
  const notes =
    identity.secrets === null
      ? ["the Secrets that pods mount were not checked, because you are not allowed to read Secrets"]
      : [];
  return notReady.length === 0
    ? passed(`${found.length} workloads ready`, [], notes)
    : failed(`${notReady.length} of ${found.length} workloads not ready`, { fix: "run meshops status to see the reason" }, names);
}
