import type { Mirror } from "../catalog/image.ts";
import type { SecretContract } from "../identity/contracts.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Component, ComponentOutput, Release, ValuesObject } from "./component.ts";

/** A component of an environment, with the component's output. */
export interface ComponentModel extends Omit<Component, "build">, Required<ComponentOutput> {
  /**
   * ConfigMaps and Secrets to which an override refers. The chart values in these objects take precedence over the
   * values of the release.
   */
  readonly overridesFrom: readonly ValuesObject[];
  /**
   * Chart values that Flux merges after `overridesFrom`. Null if the component has no chart. Also null if
   * `overridesFrom` is empty, because in this case, the values of the release already contain the values of the
   * override.
   */
  readonly lastValues: JsonMap | null;
  /** Whether the spec suspends the component (`suspend`). If true, Flux and helmfile do not update the component. */
  readonly suspended: boolean;
}

/** All components of an environment, in startup order. */
export interface Model {
  readonly environment: Environment;
  /** The registry that mirrors all images; null if images are pulled from upstream. */
  readonly mirror: Mirror | null;
  readonly components: readonly ComponentModel[];
  /** The Secrets with certificates and keys of the mesh that must exist in the cluster. */
  readonly contracts: readonly SecretContract[];
}

/** Returns the Helm release of a component that is delivered as a chart; null for other components. */
export function releaseOf({ delivery }: Pick<ComponentModel, "delivery">): Release | null {
  return delivery.kind === "chart" ? delivery.release : null;
}

/** Returns the objects that meshops generates for components. */
export function generatedObjects(components: readonly Pick<ComponentModel, "objects">[]): KubernetesObject[] {
  return components.flatMap(({ objects }) => Object.values(objects).flat());
}

/** Returns the sets of pods of all components. */
export function podSetsIn({ components }: Pick<Model, "components">): PodSet[] {
  return components.flatMap(({ pods }) => pods);
}

/** Whether meshops delivers a component to the cluster. */
export function isDelivered({ delivery }: Pick<ComponentModel, "delivery">): boolean {
  return delivery.kind !== "none";
}

/** Whether a component contains encrypted Secrets, which Flux and helmfile decrypt. */
export function hasSecrets({ secrets, encryptedFiles }: Pick<ComponentModel, "secrets" | "encryptedFiles">): boolean {
  return secrets.length + encryptedFiles.length > 0;
}

/** Returns the ids of the components that a component needs. */
export function neededComponents({ needs }: Pick<ComponentModel, "needs">): string[] {
  return needs.flatMap((need) => ("component" in need ? [need.component] : []));
}
