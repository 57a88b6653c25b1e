/** A tool that the tests use. Go downloads the source of the tool from the Go module proxy, and builds the tool. */
export interface GoTool {
  readonly name: string;
  readonly version: string;
  /** Go package of the tool's command. */
  readonly package: string;
  readonly ldflags?: string;
  /**
   * Name of the binary that Go builds from the package. Set this field only if the name of the binary differs from
   * `name`.
   */
  readonly binary?: string;
  /**
   * Name of a folder next to pins.ts. The folder contains a Go module that builds the tool. Set this field if
   * `go install` rejects the tool's own module.
   */
  readonly module?: string;
  /** Folder with CRDs in a Go module. The CRDs are copied to the folder `crds` next to the binary. */
  readonly crds?: { readonly module: string; readonly folder: string };
}

const kubernetes = "1.36.3";
const gitVersion = ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"]
  .map((name) => `-X ${name}.gitVersion=v${kubernetes} -X ${name}.gitMajor=1 -X ${name}.gitMinor=36`)
  .join(" ");

/** Returns the pin of a Kubernetes command. The Go module in the folder `kubernetes` builds all Kubernetes commands. */
function kubernetesTool(name: string): GoTool {
  return { name, version: kubernetes, package: `k8s.io/kubernetes/cmd/${name}`, module: "kubernetes", ldflags: gitVersion };
}

const helmKubernetes = "helm.sh/helm/v3/pkg/chartutil.k8sVersion";

export const goTools: readonly GoTool[] = [
  { name: "age", version: "1.3.1", package: "filippo.io/age/cmd/age" },
  { name: "kubeconform", version: "0.8.0", package: "github.com/yannh/kubeconform/cmd/kubeconform" },
  { name: "kustomize", version: "5.8.1", package: "sigs.k8s.io/kustomize/kustomize/v5" },
  { name: "sops", version: "3.13.3", package: "github.com/getsops/sops/v3/cmd/sops" },
  {
    name: "helm",
    version: "3.22.0",
    package: "helm.sh/helm/v3/cmd/helm",
    // Without these flags, `helm template` assumes Kubernetes 1.20. Linkerd's charts reject this version.
    ldflags: `-X ${helmKubernetes}Major=1 -X ${helmKubernetes}Minor=34`,
  },
  // For the tests of the statements about Helm 4 in docs/helmfile.md.
  { name: "helm4", version: "4.3.0", package: "helm.sh/helm/v4/cmd/helm", binary: "helm" },
  // For the tests of the workflows that `meshops init` writes.
  { name: "actionlint", version: "1.7.12", package: "github.com/rhysd/actionlint/cmd/actionlint" },
  kubernetesTool("kubectl"),
  kubernetesTool("kube-apiserver"),
  kubernetesTool("kube-controller-manager"),
  kubernetesTool("kube-scheduler"),
  // For the tests in test/node, which start a real Kubernetes node.
  kubernetesTool("kubelet"),
  kubernetesTool("kube-proxy"),
  { name: "kube-router", version: "2.1.0", package: "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router" },
  { name: "coredns", version: "1.14.7", package: ".", module: "coredns" },
  { name: "kwok", version: "0.8.0", package: "sigs.k8s.io/kwok/cmd/kwok" },
  {
    name: "kustomize-controller",
    version: "1.9.6",
    package: "github.com/fluxcd/kustomize-controller",
    module: "kustomize-controller",
  },
  // For the tests with certificates that another program creates.
  {
    name: "cert-manager",
    version: "1.21.2",
    package: ".",
    module: "cert-manager",
    crds: { module: "github.com/cert-manager/cert-manager", folder: "deploy/crds" },
  },
  { name: "grpcurl", version: "1.9.4", package: "github.com/fullstorydev/grpcurl/cmd/grpcurl" },
  { name: "helmfile", version: "1.8.0", package: "github.com/helmfile/helmfile", module: "helmfile" },
];

/**
 * Versions of Node on which the tests run meshops, in addition to the Node version that runs the tests. `npm run tools`
 * installs these versions from npm packages.
 */
export const nodeVersions = ["22.23.3", "24.21.0"] as const;

/**
 * Version of kubernetes-validate, a Python package that contains Kubernetes' JSON schemas. In the tests, kubeconform
 * validates objects against these schemas.
 */
export const kubernetesSchemas = { package: "kubernetes-validate", version: "1.34.1", kubernetes: "1.34" } as const;

/** Version of the Azure CLI, a Python package. `npm run tools` installs the package in its own virtual environment. */
export const azureCliVersion = "2.91.0";

/**
 * Version of check-jsonschema, a Python package. It contains the schemas of the files that `meshops init` writes for
 * Azure Pipelines and Renovate.
 */
export const checkJsonschemaVersion = "0.39.0";

/** Version of pydgraph in the image of the test client, as pinned in clients/pydgraph/requirements.txt. */
export const pydgraphVersion = "25.2.0";
