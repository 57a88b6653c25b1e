import { ageSecretOf, fluxNamespace, fluxRoot, fluxSource } from "../bundle/emit/flux.ts";
import { kustomizationName, placementOf, rootFolder } from "../bundle/emit/placement.ts";
import { fluxManifests, fluxReleases } from "../catalog/flux.ts";
import { registryHost } from "../catalog/image.ts";
import { linkerdRelease } from "../catalog/linkerd.ts";
import { modelOf } from "../components/build.ts";
import { mirrorImports } from "../components/mirrored-images.ts";
import { hasSecrets, isDelivered, type Model } from "../components/model.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { toYaml } from "../kubernetes/yaml.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { specFile } from "../spec/layout.ts";
import { renderScript, type ScriptStep, type View } from "./template.ts";

/** Options of `meshops bootstrap` that are not in the spec. */
export interface BootstrapChoices {
  /**
   * kubectl context of a cluster that is not on Azure. If null, the script asks the user to confirm the current
   * context.
   */
  readonly context: string | null;
  /** Whether the script may change the version of Flux if Flux is already installed. */
  readonly upgradeFlux: boolean;
}

/**
 * Returns the script that creates an environment. If the spec contains `azure`, the script first creates the Azure
 * resources. If `azure.cluster.lifecycle` is `existing`, the script does not create the cluster, but only checks it. If
 * meshops manages the root Kustomization, the script then applies the age key, Flux and the root Kustomization.
 * Otherwise, the script applies only the age key, and checks Flux and the root Kustomization. The user can run the
 * script again after any failure.
 */
export function bootstrapScript(environment: Environment, { context, upgradeFlux }: BootstrapChoices): string {
  const { metadata, spec } = environment;
  const { azure, gitops } = spec;
  const registry = azure?.registry ?? null;
  const images = registry?.mirrorImages === true ? mirrorImports(registry.name, environment) : [];
  const model = modelOf(environment);
  const clientImage = builtImage(model);
  const needsAgeKey = model.components.some(hasSecrets);
  const placement = placementOf(environment);
  const fluxVersion = gitops.flux.version ?? fluxReleases.pinned;
  const view: View = {
    environment: metadata.name,
    spec: specFile(metadata.name),
    azure: azure === undefined ? null : azureView(azure),
    existingCluster: azure?.cluster.lifecycle === "existing",
    kubernetesVersion: azure?.cluster.kubernetesVersion ?? null,
    autoProvisioning: azure?.cluster.autoProvisioning === true,
    cilium: azure?.cluster.networkPolicy === "cilium",
    zones: azure?.cluster.zones ?? [],
    leastKubernetes: linkerdRelease(spec.linkerd.version).minKubernetes,
    registry: registry?.name ?? null,
    registrySku: registry?.sku ?? null,
    images: images.map(({ source, image }) => ({ source, target: image })),
    dockerHub: images.some(({ source }) => source.startsWith("docker.io/")),
    clientImage,
    context: context ?? "",
    named: context !== null,
    teardown: false,
    git: { url: gitops.url ?? "", branch: gitops.branch, path: rootFolder(environment) },
    placement,
    first: kustomizationName(placement, firstOf(model)),
    flux: {
      version: fluxVersion,
      wanted: gitops.flux.version ?? "",
      minimum: fluxReleases.minimum,
      manifests: gitops.flux.manifests ?? fluxManifests(fluxVersion),
      upgrade: upgradeFlux,
    },
    ageSecret: ageSecretOf(environment),
    needsAgeKey,
    manifests: placement.managesRoot
      ? {
          namespace: yaml(fluxNamespace()),
          publicSource: yaml(fluxSource(environment, false)),
          privateSource: yaml(fluxSource(environment, true)),
          root: yaml(fluxRoot(environment)),
        }
      : {},
  };
  return renderScript("bootstrap", planOf(environment, images.length, clientImage, needsAgeKey), view);
}

/** Returns the id of the first component that meshops delivers, in the startup order. */
function firstOf({ components }: Model): string {
  return components.find(isDelivered)?.id ?? "";
}

function planOf(environment: Environment, images: number, clientImage: BuiltImage | null, needsAgeKey: boolean): ScriptStep[] {
  const { azure, gitops } = environment.spec;
  const { managesRoot, root, serviceAccount } = placementOf(environment);
  const creates = azure?.cluster.lifecycle !== "existing";
  const onAzure: (ScriptStep | false)[] =
    azure === undefined
      ? [{ title: "kubectl context", run: "confirm" }, managesRoot && { title: "existing Flux", run: "existing_flux" }]
      : [
          { title: "Azure account", run: "account" },
          managesRoot && { title: "existing Flux", run: "existing_flux" },
          creates && { title: "resource providers", run: "providers" },
          creates && { title: `resource group ${azure.resourceGroup}`, run: "resource_group" },
          azure.registry !== undefined && { title: `registry ${azure.registry.name}`, run: "registry" },
          { title: `AKS cluster ${azure.cluster.name}`, run: creates ? "cluster" : "check_cluster" },
          azure.registry !== undefined && { title: "assignment of the role AcrPull to the cluster", run: "pull_right" },
          { title: "credentials for kubectl", run: "credentials" },
          images > 0 && { title: `import of ${images} images into the registry`, run: "mirror_images" },
          clientImage !== null && { title: `image ${clientImage.name}`, run: "client_image" },
        ];
  const ageKey: ScriptStep[] = needsAgeKey ? [{ title: "age key of the cluster", run: "age_key" }] : [];
  return [
    { title: "tools", run: "tools" },
    ...onAzure.filter((step) => step !== false),
    ...(managesRoot
      ? [
          { title: "namespace flux-system", run: "flux_namespace" },
          ...ageKey,
          { title: "Flux", run: "install_flux" },
          { title: `reconciliation of ${gitops.url}, branch ${gitops.branch}, ${rootFolder(environment)}`, run: "reconciled" },
        ]
      : [
          { title: "Flux of the cluster", run: "check_flux" },
          ...(serviceAccount === null ? [] : [{ title: `service account ${serviceAccount}`, run: "check_account" }]),
          ...ageKey,
          { title: `Kustomization ${root.name} in namespace ${root.namespace}`, run: "check_root" },
        ]),
  ];
}

function azureView(azure: NonNullable<Environment["spec"]["azure"]>): NonNullable<View["azure"]> {
  const { cluster } = azure;
  return {
    subscription: azure.subscription ?? "",
    location: azure.location,
    resourceGroup: azure.resourceGroup,
    cluster: cluster.name,
    nodeCount: cluster.nodeCount,
    vmSize: cluster.vmSize,
    networkPolicy: cluster.networkPolicy,
    ipFamilies: cluster.ipFamilies.join(","),
    kubernetesVersion: cluster.kubernetesVersion ?? null,
  };
}

/** An image that bootstrap builds in the environment's registry. */
type BuiltImage = {
  /** Repository and tag, without the host of the registry. */
  readonly name: string;
  /** Folder of the platform repository with the Dockerfile and the other files from which the image is built. */
  readonly sources: string;
};

/**
 * Returns the image that the script builds: the first image that is in the environment's registry and belongs to a
 * component with the field `sources`. Returns null if the environment has no registry, or if no image meets both
 * conditions.
 */
function builtImage({
  environment: {
    spec: { azure },
  },
  components,
}: Model): BuiltImage | null {
  if (azure?.registry === undefined) return null;
  const host = `${registryHost(azure.registry.name)}/`;
  const built = components.flatMap(({ sources, images }) =>
    sources === null ? [] : images.filter(({ name }) => name.startsWith(host)).map((image) => ({ image, sources })),
  );
  const [first] = built;
  return first === undefined
    ? null
    : { name: `${first.image.name.slice(host.length)}:${first.image.tag}`, sources: first.sources };
}

function yaml(object: KubernetesObject): string {
  return toYaml([object]).trimEnd();
}
