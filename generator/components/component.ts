import type { Image } from "../catalog/image.ts";
import type { LinkerdChart, LinkerdRelease } from "../catalog/linkerd.ts";
import type { ChartRepository } from "../catalog/repositories.ts";
import type { RuleInfo } from "../diagnostics/rule-info.ts";
import type { SecretContract } from "../identity/contracts.ts";
import type { Identity } from "../identity/identity.ts";
import type { JsonMap, KubernetesObject, StringMap } from "../kubernetes/object.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Rule, RuleFinding } from "../spec/rule.ts";
import type { ChangeRule } from "./change-rule.ts";
import type { AccessTarget, Check } from "./check.ts";
import type { OwnedValue } from "./owned.ts";
import type { Patch } from "./patch.ts";

/** Input from which an environment's components are built. The content of the bundle depends on nothing else. */
export interface Input {
  readonly environment: Environment;
  readonly identity: Identity;
}

/** The environment, and values derived from it that components share. */
export interface Context {
  readonly environment: Environment;
  readonly linkerdRelease: LinkerdRelease;
  /** Host of the registry that mirrors all images; null if images are pulled from upstream. */
  readonly mirror: string | null;
  readonly identity: IdentityProvider;
}

/**
 * Source of the mesh's identity: the components that deliver it, the Secrets that must exist, and the chart values that
 * refer to them.
 */
export interface IdentityProvider {
  /** Components that deliver the identity. */
  components(): Iterable<Component>;
  /** Values of a chart for identity and webhook certificates. */
  chartValues(chart: LinkerdChart): JsonMap;
  /** A digest that changes whenever meshed pods must restart to stay in the mesh. */
  revision(): string;
  /** Secrets that must exist in the cluster, written by meshops or by another program. */
  readonly contracts: readonly SecretContract[];
}

/**
 * Yields the components of one kind that an environment has: none, one, or one per entry of the spec. The provider
 * defines what also applies to environments without the component (rules, reserved names, risks of its removal); the
 * component defines everything else.
 */
export interface ComponentProvider {
  components(context: Context): Iterable<Component>;
  /** Namespaces that are reserved for the component, even if it is not enabled: workloads must not use them. */
  readonly reservedNamespaces?: readonly string[];
  /** Rules for its part of a spec. */
  readonly rules?: readonly Rule[];
  /** Rules for the transition from the generated bundle to a changed spec. */
  readonly transitionRules?: readonly TransitionRule[];
  /** Rules that assess the risks of changes to its objects. */
  readonly changeRules?: readonly ChangeRule[];
}

/** A rule that compares a spec with the files that were last generated from it. */
export interface TransitionRule extends RuleInfo {
  /**
   * @param generated returns the text of a generated file of the environment, by its path below `overlays/<env>/`; null
   * if the file does not exist
   */
  check(environment: Environment, generated: (path: string) => string | null): Iterable<RuleFinding>;
}

/** One component of an environment: one folder of the bundle, one Flux Kustomization, one helmfile release. */
export interface Component {
  /** Name of its folder under overlays/<env>/, its Flux Kustomization and, without a chart, its helmfile release. */
  readonly id: string;
  /** Application that its objects belong to (`app.kubernetes.io/part-of`). */
  readonly group: string;
  /** Resources that must be ready before it. */
  readonly needs: readonly Need[];
  /**
   * Label selector, in kubectl's syntax, of the objects that its chart registers with the API server: webhooks and
   * aggregated APIs. Teardown removes these first.
   */
  readonly apiRegistrations?: string;
  /** Builds its output. Pure function. */
  build(context: Context): ComponentOutput;
}

/**
 * A resource that must be ready before a component: another component (ignored if the environment does not have it), a
 * Flux Kustomization or, for components with a chart, a HelmRelease. helmfile orders components only.
 */
export type Need = { readonly component: string } | { readonly kustomization: ObjectName } | { readonly helmRelease: ObjectName };

/** Name of a namespaced object. */
export interface ObjectName {
  readonly name: string;
  readonly namespace: string;
}

/** A namespace that a component needs. Components may share one; their labels and annotations are merged. */
export interface NamespaceSpec {
  readonly name: string;
  readonly labels: StringMap;
  readonly annotations?: StringMap;
}

/** A Helm release. Flux and helmfile install it in the same way. */
export interface Release {
  readonly name: string;
  readonly chart: string;
  readonly repository: ChartRepository;
  readonly version: string;
  readonly values: JsonMap;
}

/** How a component is delivered to the cluster. */
export type Delivery =
  /**
   * A chart; `base` is the folder under bases/ with the part of its HelmRelease that all environments share, null if
   * the overlay contains the whole HelmRelease.
   */
  | { readonly kind: "chart"; readonly release: Release; readonly base: string | null }
  /**
   * A folder under bases/ with plain objects; the keys of `images` are the names, without a tag, by which its objects
   * refer to the images.
   */
  | { readonly kind: "kustomization"; readonly base: string; readonly images: Readonly<Record<string, Image>> }
  /**
   * Only `objects` and `secrets`; helmfile installs them as a release, or applies them in a hook before the first
   * release.
   */
  | { readonly kind: "objects"; readonly helmfile: "release" | "hook" }
  /** Nothing: other tools deliver the component. */
  | { readonly kind: "none" };

/** Fields that other controllers write and that drift detection must ignore. */
export interface IgnoredDrift {
  readonly kind: string;
  /** JSON pointers. */
  readonly paths: readonly string[];
}

/** Output of a component. Omitted fields are empty. */
export interface ComponentOutput {
  /** Namespace of its release and its objects. */
  readonly namespace: string;
  readonly namespaces?: readonly NamespaceSpec[];
  readonly delivery: Delivery;
  /**
   * Objects by file name without extension. Not allowed with a chart: helmfile would install the release without them.
   */
  readonly objects?: Readonly<Record<string, readonly KubernetesObject[]>>;
  /** Patches for objects that the chart renders or the base contains. */
  readonly patches?: readonly Patch[];
  /** Pods that it runs. */
  readonly pods?: readonly PodSet[];
  /** Tests that `meshops verify` runs on a cluster. */
  readonly checks?: readonly Check[];
  /** Pods whose access control `meshops verify` tests. */
  readonly accessTarget?: AccessTarget | null;
  /** Names of the SOPS-encrypted Secrets; `meshops identity` writes their files. */
  readonly secrets?: readonly string[];
  /** Images that it runs, under their original names rather than those in a mirror. */
  readonly images?: readonly Image[];
  readonly ignoredDrift?: readonly IgnoredDrift[];
  /** Chart values of its release that overrides must not replace. */
  readonly owned?: readonly OwnedValue[];
  /**
   * Minutes within which the component must become ready; default: 5. If Flux's controllers run without the feature
   * gate CancelHealthCheckOnNewRevision, a wrong chart value is rolled back only after this time. The time is therefore
   * short unless the component holds data (measured: the control plane is ready after 60 to 90 s).
   */
  readonly timeoutMinutes?: number;
}
