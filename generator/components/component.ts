import type { GrpcService } from "../catalog/grpc.ts";
import type { Image, Mirror } from "../catalog/image.ts";
import type { LinkerdChart, LinkerdRelease } from "../catalog/linkerd.ts";
import type { ChartRepository, OciChart } from "../catalog/repositories.ts";
import type { SecretContract } from "../identity/contracts.ts";
import type { Identity } from "../identity/identity.ts";
import type { JsonMap, KubernetesObject, StringMap } from "../kubernetes/object.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { FileRule, Rule } from "../spec/rule.ts";
import type { AssessedValues } from "./assessed.ts";
import type { ChangeRule } from "./change-rule.ts";
import type { AccessTarget, Check } from "./check.ts";
import type { OwnedValue } from "./owned.ts";
import type { Patch } from "./patch.ts";

/** Input from which an environment's components are built. The content of the bundle depends only on this input. */
export interface Input {
  readonly environment: Environment;
  readonly identity: Identity;
  /**
   * Encrypted files of workloads, by path in the repository. If omitted, the overlays contain an empty file for each
   * encrypted file.
   */
  readonly encryptedFiles?: ReadonlyMap<string, string>;
  /**
   * The gRPC services in the .proto files of workloads, by path in the repository. If omitted, meshops generates no
   * routes for the methods in these files.
   */
  readonly grpcServices?: ReadonlyMap<string, readonly GrpcService[]>;
}

/** The environment, and derived values that several components use. */
export interface ModelContext {
  readonly environment: Environment;
  readonly linkerdRelease: LinkerdRelease;
  /** The registry that mirrors all images; null if images are pulled from upstream. */
  readonly mirror: Mirror | null;
  readonly identity: IdentityProvider;
  /** Encrypted files of workloads, by path in the repository. */
  readonly encryptedFiles: ReadonlyMap<string, string>;
  /** The gRPC services in the .proto files of workloads, by path in the repository. */
  readonly grpcServices: ReadonlyMap<string, readonly GrpcService[]>;
}

/** An encrypted file that is copied to the overlay of a component. */
export interface EncryptedFile {
  readonly name: string;
  readonly text: string;
}

/**
 * Source of the mesh's certificates: the components that deliver the certificates, the Secrets that must exist, and the
 * chart values that configure the use of the certificates.
 */
export interface IdentityProvider {
  /** Components that deliver the certificates and their Secrets. */
  components(): Iterable<Component>;
  /** Chart values that configure the identity and the webhook certificates. */
  chartValues(chart: LinkerdChart): JsonMap;
  /** Objects in the cluster from which Flux reads the identity values of a chart. */
  chartValuesFrom(chart: LinkerdChart): readonly ValuesObject[];
  /** A digest that changes whenever meshed pods must restart to stay in the mesh. */
  revision(): string;
  /** The Secrets with certificates and keys that must exist in the cluster. */
  readonly contracts: readonly SecretContract[];
  /**
   * Fields that another controller writes in webhook configurations and APIServices, such as an injected `caBundle`.
   */
  readonly ignoredDrift: readonly IgnoredDrift[];
}

/**
 * Yields the components of one kind for an environment: no component, one component, or one component per entry of a
 * list in the spec. The provider defines the rules, the reserved namespaces and the risks of changes, because these
 * also apply to environments without the component. The component defines everything else.
 */
export interface ComponentProvider {
  components(context: ModelContext): Iterable<Component>;
  /** Names of the components that the provider yields only for some environments. */
  readonly optional?: readonly string[];
  /** Namespaces that workloads must not use. They are reserved even if the component is not enabled. */
  readonly reservedNamespaces?: readonly string[];
  /**
   * `section` is the section of the spec whose field `namespace` sets the namespace of the component's pods.
   * `byDefault` is the default value of this field.
   */
  readonly namespaceField?: { readonly section: keyof Environment["spec"]; readonly byDefault: string };
  /** Chart values whose changes `meshops diff` can assess. */
  readonly assessedValues?: AssessedValues;
  /** Helm releases that Flux does not delete if their Kustomization is deleted (prune: disabled). */
  readonly keptReleases?: readonly string[];
  /** Names of the components that another tool installs if the spec contains `linkerd.lifecycle: existing`. */
  readonly partOfLinkerd?: readonly string[];
  /** Data that is lost when pods of the component restart. */
  readonly dataInMemory?: DataInMemory;
  /** Rules that check the component's part of a spec. */
  readonly rules?: readonly Rule[];
  /**
   * Rules that also read files of the repository. They read files to which the component's part of a spec refers, or
   * the existing generated files.
   */
  readonly fileRules?: readonly FileRule[];
  /** Rules that assess the risks of changes to the component's objects. */
  readonly changeRules?: readonly ChangeRule[];
}

/** Data that pods keep only in memory, because they have no persistent volume by default. */
export interface DataInMemory {
  readonly namespace: string;
  /** Deployments whose pods contain the data. */
  readonly deployments: readonly string[];
  /** The data as a plural noun, such as `the traces in Jaeger`. */
  readonly data: string;
}

/** One component of an environment: one folder of the bundle, one Flux Kustomization, one helmfile release. */
export interface Component {
  /**
   * Path of the component's folder under overlays/<env>/, such as `dgraph` or `policies/shop`. `fluxName` derives the
   * names of the Flux objects from the id. If the component has no chart, `fluxName` also derives the name of the
   * helmfile release from the id.
   */
  readonly id: string;
  /** Application to which the component's objects belong (`app.kubernetes.io/part-of`). */
  readonly group: string;
  /** Resources that must be ready before the component is applied. */
  readonly needs: readonly Need[];
  /**
   * Label selector, in kubectl's syntax, of the webhook configurations and APIServices in the component's chart.
   * `meshops teardown` removes these objects first.
   */
  readonly apiRegistrations?: string;
  /** Builds the component's output. Pure function. */
  build(context: ModelContext): ComponentOutput;
}

/**
 * A resource that must be ready before a component is applied: another component, or a Flux Kustomization. A component
 * with a chart can also need a HelmRelease. meshops omits needs for components that the environment does not have. In
 * the helmfile, meshops also omits needs for Flux Kustomizations and HelmReleases.
 */
export type Need = { readonly component: string } | { readonly kustomization: ObjectName } | { readonly helmRelease: ObjectName };

/** Name of a namespaced object. */
export interface ObjectName {
  readonly name: string;
  readonly namespace: string;
}

/**
 * A namespace that a component needs. If several components need the same namespace, their labels and annotations are
 * merged.
 */
export interface NamespaceSpec {
  readonly name: string;
  readonly labels: StringMap;
  readonly annotations?: StringMap;
}

/** A Helm release. Flux and helmfile install it in the same way. */
export interface Release {
  readonly name: string;
  readonly chart: string;
  readonly repository: ChartRepository | OciChart;
  /** Whether the chart contains cluster-scoped objects, such as ClusterRoles and webhook configurations. */
  readonly clusterScoped: boolean;
  readonly version: string;
  readonly values: JsonMap;
  /**
   * Whether the user chose the chart. If true, Flux installs the CRDs in the chart's folder `crds/`, as Helm does. If
   * true, Flux also does not correct drift of the chart's objects, because other programs might change these objects in
   * the cluster. Examples of such programs are autoscalers, and hooks that write a `caBundle`.
   */
  readonly ofUser?: true;
}

/** How a component is delivered to the cluster. */
export type Delivery =
  /**
   * A chart. `base` is the folder under bases/ with the part of the HelmRelease that is the same in all environments;
   * null if the overlay contains the whole HelmRelease.
   */
  | { readonly kind: "chart"; readonly release: Release; readonly base: string | null }
  /**
   * A folder under bases/ with plain objects. The keys of `images` are the image names in these objects, without tags.
   * `contains` lists the objects as `apiVersion kind name`.
   */
  | {
      readonly kind: "kustomization";
      readonly base: string;
      readonly images: Readonly<Record<string, Image>>;
      readonly contains: readonly string[];
    }
  /** A folder of the repository with a kustomization.yaml of the user. */
  | { readonly kind: "folder"; readonly path: string }
  /**
   * The component consists only of `objects` and `secrets`. helmfile installs them as a release (`release`), or applies
   * them in a hook before the first release (`hook`).
   */
  | { readonly kind: "objects"; readonly helmfile: "release" | "hook" }
  /**
   * Another tool delivers the component. `podsIn` is the namespace whose pods `meshops status` shows for the component;
   * null to show no pods.
   */
  | { readonly kind: "none"; readonly podsIn: string | null };

/** An object with chart values, in the namespace of the component. */
export interface ValuesObject {
  readonly kind: "ConfigMap" | "Secret";
  readonly name: string;
  /** Key of the object's data that contains the values. */
  readonly key: string;
  /**
   * Chart value that Flux sets to the text of the key. If omitted, Flux reads the text as a YAML map of chart values.
   */
  readonly targetPath?: string;
}

/** Fields that other controllers write and that drift detection must ignore. */
export interface IgnoredDrift {
  readonly kind: string;
  /** JSON pointers. */
  readonly paths: readonly string[];
}

/** Output of a component. Omitted fields are empty. */
export interface ComponentOutput {
  /** Namespace of the component's release and objects. */
  readonly namespace: string;
  readonly namespaces?: readonly NamespaceSpec[];
  readonly delivery: Delivery;
  /**
   * Objects, by file name without extension. Not allowed if the component has a chart, because helmfile would install
   * the chart without these objects.
   */
  readonly objects?: Readonly<Record<string, readonly KubernetesObject[]>>;
  /** Objects that contain chart values. Flux merges these values after all other values. */
  readonly valuesFrom?: readonly ValuesObject[];
  /** Patches for objects that the chart renders or the base contains. */
  readonly patches?: readonly Patch[];
  /** Pods of the component. */
  readonly pods?: readonly PodSet[];
  /** Tests that `meshops verify` runs on a cluster. */
  readonly checks?: readonly Check[];
  /**
   * Pods for which `meshops verify` runs the access tests T0 to T3. At most one component of an environment can have an
   * access target.
   */
  readonly accessTarget?: AccessTarget | null;
  /** Names of the SOPS-encrypted Secrets. `meshops identity` writes the files of these Secrets. */
  readonly secrets?: readonly string[];
  /** SOPS-encrypted Secrets of the user. meshops copies their files without decrypting them. */
  readonly encryptedFiles?: readonly EncryptedFile[];
  /** Images of the component's containers. The names are those in the original registries, not those in a mirror. */
  readonly images?: readonly Image[];
  /**
   * New names for images in a chart or a folder of the user. Each key is the image name in the manifests, and the value
   * is the name under which the image is pulled.
   */
  readonly imageNames?: StringMap;
  /** Image with the tools that the probes of `meshops verify` need. */
  readonly probeImage?: Image | null;
  /** Folder of the repository from which bootstrap builds the component's image; null if the image exists already. */
  readonly sources?: string | null;
  /** Name and version of the service that the component installs, such as `Dgraph 24.1.4`. */
  readonly service?: string | null;
  readonly ignoredDrift?: readonly IgnoredDrift[];
  /** Values of the component's chart that overrides must not replace. */
  readonly owned?: readonly OwnedValue[];
  /**
   * Minutes within which the component must become ready; default: 5. If Flux's controllers run without the feature
   * gate CancelHealthCheckOnNewRevision, Flux rolls back a wrong chart value only after this time. For this reason,
   * only components that store data have a longer time. (In a measurement, the control plane was ready after 60 to 90
   * seconds.)
   */
  readonly timeoutMinutes?: number;
}
