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

/** What an environment's components are built from. Nothing else decides what the bundle contains. */
export interface Input {
  readonly environment: Environment;
  readonly identity: Identity;
}

/** The environment, and what follows from it for every component. */
export interface Context {
  readonly environment: Environment;
  readonly linkerdRelease: LinkerdRelease;
  /** Host of the registry that mirrors all images; null if images are pulled from upstream. */
  readonly mirror: string | null;
  readonly identity: IdentityProvider;
}

/** Where the mesh's identity comes from: who issues certificates, which Secrets must exist, and what the charts must know of it. */
export interface IdentityProvider {
  /** Components that deliver the identity. */
  components(): Iterable<Component>;
  /** Values of a chart that concern identity and webhook certificates. */
  chartValues(chart: LinkerdChart): JsonMap;
  /** A digest that changes whenever meshed pods must restart to stay in the mesh. */
  revision(): string;
  /** Secrets that must exist in the cluster, written by meshops or by another program. */
  readonly contracts: readonly SecretContract[];
}

/**
 * Yields the components of one kind that an environment has: none, one, or one per entry of the spec. What must hold for environments without
 * the component too (rules, reserved names, risks of its removal) belongs to the provider, everything else to the component.
 */
export interface ComponentProvider {
  components(context: Context): Iterable<Component>;
  /** Namespaces that belong to it, enabled or not: no workload may use them. */
  readonly reservedNamespaces?: readonly string[];
  /** Rules about its part of a spec. */
  readonly rules?: readonly Rule[];
  /** Rules about the step from the generated bundle to a changed spec. */
  readonly transitionRules?: readonly TransitionRule[];
  /** What a change of its objects risks. */
  readonly changeRules?: readonly ChangeRule[];
}

/** A rule that compares a spec with what was generated from it last. */
export interface TransitionRule extends RuleInfo {
  /** @param generated text of a generated file of the environment by its path below `overlays/<env>/`; null if it does not exist */
  check(environment: Environment, generated: (path: string) => string | null): Iterable<RuleFinding>;
}

/** One component of an environment: one folder of the bundle, one Flux Kustomization, one helmfile release. */
export interface Component {
  /** Name of its folder under overlays/<env>/, its Flux Kustomization and, without a chart, its helmfile release. */
  readonly id: string;
  /** Application that its objects belong to (`app.kubernetes.io/part-of`). */
  readonly group: string;
  /** What must be ready before it. */
  readonly needs: readonly Need[];
  /** Label selector, as kubectl takes it, of what its chart registers with the API server: webhooks and aggregated APIs. Teardown removes these first. */
  readonly apiRegistrations?: string;
  /** Builds its output. Pure. */
  build(context: Context): ComponentOutput;
}

/**
 * Something that must be ready before a component: another component (skipped if the environment does not have it), a Kustomization of Flux, or, for
 * components with a chart, a HelmRelease. helmfile orders components only.
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

/** A Helm release, installed the same by Flux and by helmfile. */
export interface Release {
  readonly name: string;
  readonly chart: string;
  readonly repository: ChartRepository;
  readonly version: string;
  readonly values: JsonMap;
}

/** How a component comes into the cluster. */
export type Delivery =
  /** A chart; `base` is the folder under bases/ with what its HelmRelease has in common in all environments, null if the overlay has all of it. */
  | { readonly kind: "chart"; readonly release: Release; readonly base: string | null }
  /** A folder under bases/ with plain objects; `images` are those that its objects name without a tag, by that name. */
  | { readonly kind: "kustomization"; readonly base: string; readonly images: Readonly<Record<string, Image>> }
  /** `objects` and `secrets` only; helmfile installs them as a release, or applies them by its hook before the first release. */
  | { readonly kind: "objects"; readonly helmfile: "release" | "hook" }
  /** Nothing: other tools deliver it. */
  | { readonly kind: "none" };

/** Fields that other controllers write, which drift detection must ignore. */
export interface IgnoredDrift {
  readonly kind: string;
  /** JSON pointers. */
  readonly paths: readonly string[];
}

/** What a component contributes; what it leaves out is empty. */
export interface ComponentOutput {
  /** Namespace of its release and its objects. */
  readonly namespace: string;
  readonly namespaces?: readonly NamespaceSpec[];
  readonly delivery: Delivery;
  /** Objects by file name without extension, of any delivery but a chart: helmfile would install the release without them. */
  readonly objects?: Readonly<Record<string, readonly KubernetesObject[]>>;
  /** Patches on what the chart renders or the base contains. */
  readonly patches?: readonly Patch[];
  /** Meshed pods. */
  readonly pods?: readonly PodSet[];
  /** Tests on a running cluster, by `meshops verify`. */
  readonly checks?: readonly Check[];
  /** Pods whose access `meshops verify` proves. */
  readonly accessTarget?: AccessTarget | null;
  /** SOPS-encrypted Secrets by name; `identity` writes their files. */
  readonly secrets?: readonly string[];
  /** Upstream images that it runs. */
  readonly images?: readonly Image[];
  readonly ignoredDrift?: readonly IgnoredDrift[];
  /** Chart values of its release that overrides must not replace. */
  readonly owned?: readonly OwnedValue[];
  /**
   * Minutes until it must be ready; 5 if left out. A wrong chart value is rolled back only after this time, if Flux's controllers run without the
   * feature gate CancelHealthCheckOnNewRevision; so it is short unless the component holds data (the control plane was ready after 60 to 90 s).
   */
  readonly timeoutMinutes?: number;
}
