import { linkerdTrack } from "../../catalog/linkerd.ts";
import type { Environment } from "../environment.generated.ts";
import { error, type Rule, type RuleFinding, spec, warning } from "./rule.ts";

/** What the mesh needs of the cluster. */
export const clusterRules: readonly Rule[] = [kubernetesVersion, nodesForReplicas, ipv6Support];

function* kubernetesVersion({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  const version = azure?.cluster.kubernetesVersion;
  const { minKubernetes: least } = linkerdTrack(linkerd.version);
  if (version === undefined || minor(version) >= minor(least)) return;
  const message = `Linkerd ${linkerd.version} needs Kubernetes ${least} or newer`;
  yield error("kubernetes-too-old", [spec("azure", "cluster", "kubernetesVersion")], message, `use "${least}" or newer`);
}

/** With high availability the chart lets no two replicas share a node (partials/_affinity.tpl: required anti-affinity). */
function* nodesForReplicas({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure === undefined || !linkerd.highAvailability || azure.cluster.autoProvisioning || azure.cluster.nodeCount >= 3) return;
  const paths = [spec("azure", "cluster", "nodeCount"), spec("linkerd", "highAvailability")];
  const message = `high availability needs 3 nodes, one for each replica, and there are ${azure.cluster.nodeCount}`;
  yield error("high-availability-nodes", paths, message, "set nodeCount to 3 or more");
}

function* ipv6Support({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.ipFamilies.includes("ipv6") !== true || linkerdTrack(linkerd.version).traits.ipv6) return;
  const paths = [spec("azure", "cluster", "ipFamilies"), spec("linkerd", "version")];
  yield warning("ipv6-unsupported", paths, `the proxies of Linkerd ${linkerd.version} leave IPv6 alone`, "use an edge release");
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
