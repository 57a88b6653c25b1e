import { fluxReleases } from "../../catalog/flux.ts";
import {
  isKnownRelease,
  type LinkerdRelease,
  linkerdRelease,
  linkerdReleases,
  nearestRelease,
  separateImages,
  withName,
} from "../../catalog/linkerd.ts";
import type { Path } from "../../diagnostics/source.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { isVersionAtLeast } from "../../system/version.ts";

/** Rules about what Linkerd and Flux require from the cluster, and about combinations that AKS does not support. */
export const clusterRules: readonly Rule[] = [
  {
    code: "linkerd-version-untested",
    severity: "warning",
    title: "The Linkerd release is not in the catalog of this meshops version",
    why: "The catalog of meshops lists the tested Linkerd releases. For each of these releases, tests compare the generated files with the charts of the release. If an edge release is not in the catalog, no test checked the generated files for this release. meshops installs the charts and images of this release. However, meshops takes three facts from the nearest older release in the catalog: values, API versions, and the tags of images that have their own versions.",
    fix: "Use a release of the catalog. If you need another release, check its release notes and images, and then silence the rule.",
    check: untestedVersion,
  },
  {
    code: "kubernetes-too-old",
    severity: "error",
    title: "Kubernetes is too old for Linkerd's charts",
    why: "Each chart declares the oldest version of Kubernetes that it supports (Chart.yaml, `kubeVersion`). If the cluster has an older version, Helm does not install the chart and reports an error.",
    fix: "Set a newer `kubernetesVersion`, or use an older Linkerd release.",
    check: oldKubernetes,
  },
  {
    code: "kubernetes-too-new",
    severity: "warning",
    title: "Kubernetes is newer than the versions that the Linkerd release supports",
    why: "Linkerd's documentation lists the newest supported Kubernetes for each release (linkerd.io, “Supported Kubernetes Versions”). You can install Linkerd on newer Kubernetes versions. However, this Linkerd release contains no fixes for bugs that occur only on the newer versions.",
    fix: "Use a newer Linkerd release, or set `kubernetesVersion` to the newest version that your Linkerd release supports.",
    check: newKubernetes,
  },
  {
    code: "aks-cluster-domain",
    severity: "warning",
    title: "AKS supports only the cluster domain `cluster.local`",
    why: "The cluster domain is a setting of the kubelet and of the cluster's DNS. On AKS, users cannot change the cluster domain (Azure/AKS#490). The DNS of an AKS cluster does not resolve names in any other cluster domain, so proxies cannot find the control plane.",
    fix: "Remove `linkerd.clusterDomain`. To change the names of identities, set `linkerd.identity.trustDomain`.",
    check: aksDomain,
  },
  {
    code: "flux-too-old",
    severity: "error",
    title: "Flux is too old for the generated files",
    why: "The generated HelmReleases contain the fields `install.strategy` and `upgrade.strategy`. helm-controller supports these fields since Flux 2.7 (helm-controller 1.4.0, CHANGELOG). An older Flux rejects HelmReleases that contain these fields.",
    fix: "Set `gitops.flux.version` to v2.7.0 or later, or remove `gitops.flux.version`.",
    check: oldFlux,
  },
  {
    code: "high-availability-nodes",
    severity: "error",
    title: "High availability is enabled on fewer than three nodes",
    why: "With high availability, each controller has three replicas. The chart does not allow two replicas of a controller on the same node (linkerd-control-plane, partials/_affinity.tpl: required anti-affinity). On fewer than three nodes, a replica stays pending, and the Helm release fails.",
    fix: "Set `nodeCount` to 3 or more.",
    check: nodesForReplicas,
  },
  {
    code: "ipv6-unsupported",
    severity: "warning",
    title: "IPv6 is used with a Linkerd release that does not support IPv6",
    why: "Linkerd supports IPv6 from 2.16 on. The proxies of older releases do not intercept IPv6 traffic, so connections over IPv6 have no mutual TLS and no policy.",
    fix: "Set `linkerd.version` to an edge release.",
    check: ipv6Support,
  },
  {
    code: "cluster-facts-differ",
    severity: "error",
    title: "`spec.cluster` contradicts `spec.azure`",
    why: "`spec.cluster` contains facts about the cluster, and `spec.azure.cluster` describes the cluster that meshops creates. If the two sections differ, meshops could, for example, create one cluster and then install Linkerd in another cluster.",
    fix: "In `spec.cluster`, remove the field that differs, or set the field to the value in `spec.azure.cluster`.",
    check: factsDiffer,
  },
  {
    code: "registry-conflict",
    severity: "error",
    title: "The spec specifies no registry or two registries for the mirrored images",
    why: "With `registry.images: mirror`, the images come from the registry in `registry.host`, so `registry.host` must be set. With `azure.registry.mirrorImages: true`, the images come from the registry in Azure. If the spec contains both settings, it specifies two registries.",
    fix: "If `registry.host` is missing, set `registry.host`. If the spec contains both `registry.images: mirror` and `azure.registry.mirrorImages: true`, remove one of these two settings.",
    check: registries,
  },
  {
    code: "calico-auto-provisioning",
    severity: "error",
    title: "Calico is used with node auto-provisioning",
    why: "AKS rejects this combination: node auto-provisioning does not support Calico network policy (learn.microsoft.com, “Node auto-provisioning networking”).",
    fix: "Set `networkPolicy: cilium`, or set `autoProvisioning: false`.",
    check: calicoProvisioning,
  },
  {
    code: "calico-dual-stack",
    severity: "error",
    title: "Calico or Azure network policies are used with dual-stack networking",
    why: "AKS does not support Calico's or Azure's network policies with dual-stack networking (learn.microsoft.com, “Azure CNI Overlay”).",
    fix: "Set `networkPolicy: cilium`, or use IPv4 only.",
    check: dualStackPolicies,
  },
  {
    code: "calico-with-cni",
    severity: "warning",
    title: "linkerd-cni is used with Calico",
    why:
      "Calico and linkerd-cni both write the node's CNI configuration. When Calico's pods restart, they remove the entry of linkerd-cni from this configuration. New meshed pods then never start, because their " +
      "network validator never completes (linkerd2#11549 and #11228, both reported on AKS). If linkerd-cni is disabled, Linkerd uses an init container, which does not conflict with Calico.",
    fix: "Set `linkerd.cni: false`.",
    check: calicoCni,
  },
];

const path = (field: string): Path => spec("azure", "cluster", field);
const kubernetesPaths = [spec("cluster", "kubernetesVersion"), path("kubernetesVersion")];

function* registries({ spec: { registry, azure } }: Environment): Iterable<RuleFinding> {
  if (registry?.images !== "mirror") return;
  if (registry.host === undefined)
    yield {
      paths: [spec("registry", "images")],
      message: "registry.images is mirror, but registry.host is not set",
      fix: "set registry.images: upstream, or add registry.host",
    };
  else if (azure?.registry?.mirrorImages === true)
    yield {
      paths: [spec("registry", "images")],
      message: `the spec specifies two registries for the mirrored images: ${registry.host}, and the Azure registry ${azure.registry.name}`,
      fix: "set registry.images: upstream, or set azure.registry.mirrorImages: false",
    };
}

function* untestedVersion({ spec: { linkerd } }: Environment): Iterable<RuleFinding> {
  const { version } = linkerd;
  if (isKnownRelease(version)) return;
  if (linkerd.lifecycle === "existing") {
    yield {
      paths: [spec("linkerd", "version")],
      message: `${withName(version)} is not in the catalog of tested releases. The generated policies and the tests of meshops verify are for the latest earlier release in the catalog, ${nearestRelease(version)?.version}`,
      fix: "silence the rule",
    };
    return;
  }
  const images = separateImages(linkerdRelease(version)).join(", ");
  yield {
    paths: [spec("linkerd", "version")],
    message: `${withName(version)} is not in the catalog of tested releases. The generated files contain the settings of the latest earlier release in the catalog, ${nearestRelease(version)?.version}, and these images of that release: ${images}`,
    fix: `use ${linkerdReleases[0]?.version}, or silence the rule`,
  };
}

function* factsDiffer({ spec: { azure, cluster } }: Environment): Iterable<RuleFinding> {
  if (azure === undefined) return;
  const facts = {
    provider: "aks",
    context: azure.cluster.name,
    kubernetesVersion: azure.cluster.kubernetesVersion,
    networkPolicy: azure.cluster.networkPolicy,
  } as const;
  for (const field of ["provider", "context", "kubernetesVersion", "networkPolicy"] as const) {
    const [own, other] = [cluster[field], facts[field]];
    if (own === undefined || other === undefined || own === other) continue;
    const source =
      field === "provider"
        ? "an environment with spec.azure always uses AKS (provider: aks)"
        : `azure.cluster.${field === "context" ? "name" : field} is ${other}`;
    yield {
      paths: [spec("cluster", field)],
      message: `cluster.${field} is ${own}, but ${source}`,
      fix: `remove cluster.${field}`,
    };
  }
}

function* oldFlux({ spec: { gitops } }: Environment): Iterable<RuleFinding> {
  const { version } = gitops.flux;
  if (version === undefined || isVersionAtLeast(version, fluxReleases.minimum)) return;
  yield {
    paths: [spec("gitops", "flux", "version")],
    message: `Flux ${version} rejects the generated HelmReleases`,
    fix: `set version: ${fluxReleases.pinned}`,
    expected: `${fluxReleases.minimum} or later`,
  };
}

function* aksDomain(environment: Environment): Iterable<RuleFinding> {
  const { linkerd } = environment.spec;
  if (clusterOf(environment).provider !== "aks" || linkerd.clusterDomain === "cluster.local") return;
  yield {
    paths: [spec("linkerd", "clusterDomain")],
    message: `the cluster domain of an AKS cluster is cluster.local, not ${linkerd.clusterDomain}`,
    fix: "set linkerd.clusterDomain: cluster.local",
  };
}

function* oldKubernetes(environment: Environment): Iterable<RuleFinding> {
  const { linkerd } = environment.spec;
  const version = clusterOf(environment).kubernetesVersion;
  const { minKubernetes: oldest } = linkerdRelease(linkerd.version);
  if (version === null || minor(version) >= minor(oldest)) return;
  const message = `Linkerd ${linkerd.version} needs Kubernetes ${oldest} or newer, but kubernetesVersion is ${version}`;
  const fix = isCreated(environment)
    ? `set kubernetesVersion to "${oldest}" or newer`
    : `upgrade the cluster to Kubernetes ${oldest} or newer${otherRelease(({ minKubernetes }) => minor(minKubernetes) <= minor(version))}`;
  yield { paths: kubernetesPaths, message, fix };
}

/**
 * Whether `meshops bootstrap` creates the cluster. In this case, the spec determines the Kubernetes version of the
 * cluster.
 */
function isCreated({ spec: { azure } }: Environment): boolean {
  return azure !== undefined && azure.cluster.lifecycle !== "existing";
}

/**
 * Returns the last part of a fix. This part suggests a Linkerd release of the catalog for which `supports` returns
 * true. If the catalog contains no such release, the result is an empty text.
 */
function otherRelease(supports: (release: LinkerdRelease) => boolean): string {
  const found = linkerdReleases.find(supports);
  return found === undefined ? "" : `, or set linkerd.version: ${found.version}`;
}

function* newKubernetes(environment: Environment): Iterable<RuleFinding> {
  const { linkerd } = environment.spec;
  const version = clusterOf(environment).kubernetesVersion;
  const { maxKubernetes: newest } = linkerdRelease(linkerd.version);
  if (version === null || minor(version) <= minor(newest)) return;
  const message = `Linkerd ${linkerd.version} supports Kubernetes only up to ${newest}, but kubernetesVersion is ${version}`;
  yield {
    paths: kubernetesPaths,
    message,
    fix: isCreated(environment)
      ? `use a newer Linkerd release, or set kubernetesVersion to "${newest}"`
      : `use a newer Linkerd release${otherRelease(({ maxKubernetes }) => minor(maxKubernetes) >= minor(version))}`,
  };
}

function* nodesForReplicas({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure === undefined || !linkerd.highAvailability || azure.cluster.autoProvisioning || azure.cluster.nodeCount >= 3) return;
  yield {
    paths: [path("nodeCount"), spec("linkerd", "highAvailability")],
    message: `high availability needs 3 nodes, one per replica, but nodeCount is ${azure.cluster.nodeCount}`,
    fix: "set nodeCount to 3 or more",
  };
}

function* ipv6Support({ spec: { azure, linkerd } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.ipFamilies.includes("ipv6") !== true || linkerdRelease(linkerd.version).traits.ipv6) return;
  yield {
    paths: [path("ipFamilies"), spec("linkerd", "version")],
    message: `the proxies of Linkerd ${linkerd.version} do not intercept IPv6 traffic`,
    fix: "set linkerd.version to an edge release",
  };
}

function* calicoProvisioning({ spec: { azure } }: Environment): Iterable<RuleFinding> {
  if (azure?.cluster.networkPolicy !== "calico" || !azure.cluster.autoProvisioning) return;
  yield {
    paths: [path("autoProvisioning"), path("networkPolicy")],
    message: "AKS does not support node auto-provisioning with Calico",
    fix: "set networkPolicy: cilium, or autoProvisioning: false",
  };
}

function* dualStackPolicies({ spec: { azure } }: Environment): Iterable<RuleFinding> {
  const engine = azure?.cluster.networkPolicy;
  if (azure === undefined || azure.cluster.ipFamilies.length < 2 || (engine !== "calico" && engine !== "azure")) return;
  yield {
    paths: [path("ipFamilies"), path("networkPolicy")],
    message: `AKS does not support ${engine === "calico" ? "Calico" : "Azure"} network policies with dual-stack networking`,
    fix: "set networkPolicy: cilium, or ipFamilies: [ipv4]",
  };
}

function* calicoCni(environment: Environment): Iterable<RuleFinding> {
  if (clusterOf(environment).networkPolicy !== "calico" || !environment.spec.linkerd.cni) return;
  yield {
    paths: [spec("linkerd", "cni"), spec("cluster", "networkPolicy"), path("networkPolicy")],
    message: "when Calico restarts, it removes linkerd-cni from the node's CNI configuration. New meshed pods then never start",
    fix: "set linkerd.cni: false",
  };
}

function minor(version: string): number {
  return Number(version.split(".")[1]);
}
