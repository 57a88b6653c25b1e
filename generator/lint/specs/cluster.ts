import { linkerdRelease } from "../../catalog/linkerd.ts";
import type { Path } from "../../diagnostics/source.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** What the mesh needs of the cluster, and what AKS cannot do together. */
export const clusterRules: readonly Rule[] = [
  {
    code: "kubernetes-too-old",
    severity: "error",
    title: "A Kubernetes that Linkerd's charts refuse",
    why: "Each chart names the oldest Kubernetes that it installs on (Chart.yaml, `kubeVersion`). Helm stops with an error on an older one.",
    fix: "Use a newer `kubernetesVersion`, or an older Linkerd.",
    check: oldKubernetes,
  },
  {
    code: "kubernetes-too-new",
    severity: "warning",
    title: "A Kubernetes that Linkerd's release was never tried on",
    why: "Linkerd's documentation names the newest Kubernetes of each release (linkerd.io, “Supported Kubernetes Versions”). Nothing refuses a newer one, but bugs that occur only there are not fixed.",
    fix: "Use a newer Linkerd, or the Kubernetes that it names.",
    check: newKubernetes,
  },
  {
    code: "high-availability-nodes",
    severity: "error",
    title: "High availability on fewer than three nodes",
    why: "The chart lets no two replicas of a controller share a node (linkerd-control-plane, partials/_affinity.tpl: required anti-affinity). The third stays pending, and the release fails.",
    fix: "Set `nodeCount` to 3 or more.",
    check: nodesForReplicas,
  },
  {
    code: "ipv6-unsupported",
    severity: "warning",
    title: "IPv6 with a Linkerd that leaves it alone",
    why: "Linkerd knows IPv6 from 2.16 on. Older proxies pass it by: connections over IPv6 have no mutual TLS and no policy.",
    fix: "Use an edge release.",
    check: ipv6Support,
  },
  {
    code: "network-policy-unenforced",
    severity: "warning",
    title: "NetworkPolicies that nobody enforces",
    why:
      "Kubernetes accepts NetworkPolicies and leaves it to the network to enforce them. Without an engine everybody reaches every port; Linkerd's own policy still " +
      "guards the meshed ports. (kubenet, which has no engine either, is not offered: Azure retires it.)",
    fix: "Set `azure.cluster.networkPolicy` to cilium or calico, `dgraph.networkPolicy` to false, or silence the rule where you bring an engine of your own.",
    check: enforcedPolicies,
  },
  {
    code: "calico-auto-provisioning",
    severity: "error",
    title: "Calico with node auto-provisioning",
    why: "AKS refuses it: node auto-provisioning supports no Calico network policy (learn.microsoft.com, “Node auto-provisioning networking”).",
    fix: "Use `networkPolicy: cilium`, or set `autoProvisioning: false`.",
    check: calicoProvisioning,
  },
  {
    code: "calico-dual-stack",
    severity: "error",
    title: "Calico on two IP families",
    why: "Neither Calico's nor Azure's network policies are supported with dual-stack networking on AKS (learn.microsoft.com, “Azure CNI Overlay”).",
    fix: "Use `networkPolicy: cilium`, or IPv4 alone.",
    check: dualStackPolicies,
  },
  {
    code: "calico-with-cni",
    severity: "warning",
    title: "linkerd-cni beside Calico",
    why:
      "Both write the node's CNI configuration. When Calico's pods restart they write theirs anew, without Linkerd's entry, and new meshed pods hang in their " +
      "network validator (linkerd2#11549, #11228, both on AKS). The init container has no such rival.",
    fix: "Set `linkerd.cni: false`.",
    check: calicoCni,
  },
];

const path = (field: string): Path => spec("azure", "cluster", field);

function* oldKubernetes({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  const version = azure?.cluster.kubernetesVersion;
  const { minKubernetes: least } = linkerdRelease(linkerd.version);
  if (version === undefined || minor(version) >= minor(least)) return;
  const message = `Linkerd ${linkerd.version} needs Kubernetes ${least} or newer`;
  yield { paths: [path("kubernetesVersion")], message, fix: `use "${least}" or newer` };
}

function* newKubernetes({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  const version = azure?.cluster.kubernetesVersion;
  const { maxKubernetes: most } = linkerdRelease(linkerd.version);
  if (version === undefined || minor(version) <= minor(most)) return;
  const message = `Linkerd ${linkerd.version} is made for Kubernetes up to ${most}`;
  yield { paths: [path("kubernetesVersion")], message, fix: `use a newer Linkerd, or Kubernetes "${most}"` };
}

function* nodesForReplicas({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure === undefined || !linkerd.highAvailability || azure.cluster.autoProvisioning || azure.cluster.nodeCount >= 3) return;
  yield {
    paths: [path("nodeCount"), spec("linkerd", "highAvailability")],
    message: `high availability needs 3 nodes, one for each replica, and there are ${azure.cluster.nodeCount}`,
    fix: "set nodeCount to 3 or more",
  };
}

function* ipv6Support({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.ipFamilies.includes("ipv6") !== true || linkerdRelease(linkerd.version).traits.ipv6) return;
  yield {
    paths: [path("ipFamilies"), spec("linkerd", "version")],
    message: `the proxies of Linkerd ${linkerd.version} leave IPv6 alone`,
    fix: "use an edge release",
  };
}

function* enforcedPolicies({ spec: { azure, dgraph } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.networkPolicy !== "none" || !dgraph.networkPolicy) return;
  yield {
    paths: [path("networkPolicy"), spec("dgraph", "networkPolicy")],
    message: "nothing enforces the NetworkPolicies that dgraph.networkPolicy asks for",
    fix: "use cilium or calico",
  };
}

function* calicoProvisioning({ spec: { azure } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.networkPolicy !== "calico" || !azure.cluster.autoProvisioning) return;
  yield {
    paths: [path("autoProvisioning"), path("networkPolicy")],
    message: "AKS offers node auto-provisioning without Calico only",
    fix: "use networkPolicy: cilium, or autoProvisioning: false",
  };
}

function* dualStackPolicies({ spec: { azure } }: Environment): Iterable<RuleFinding> {
  const engine = azure?.cluster.networkPolicy;
  if (azure === undefined || azure.cluster.ipFamilies.length < 2 || (engine !== "calico" && engine !== "azure")) return;
  yield {
    paths: [path("ipFamilies"), path("networkPolicy")],
    message: `AKS has no ${engine === "calico" ? "Calico" : "Azure"} network policies on two IP families`,
    fix: "use networkPolicy: cilium, or ipv4 alone",
  };
}

function* calicoCni({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.networkPolicy !== "calico" || !linkerd.cni) return;
  yield {
    paths: [spec("linkerd", "cni"), path("networkPolicy")],
    message: "Calico overwrites linkerd-cni's entry when it restarts, and new meshed pods hang",
    fix: "set linkerd.cni: false",
  };
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
