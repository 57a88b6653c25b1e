import type { Mirror } from "../catalog/image.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import type { PodSet } from "../mesh/pod-set.ts";
import type { Environment } from "../spec/environment.generated.ts";
import type { Component, ComponentOutput, Release, ValuesObject } from "./component.ts";

/** A component of an environment, with the component's output. */
export interface ComponentModel extends Omit<Component, "build">, Required<ComponentOutput> {
  /**
   * ConfigMaps and Secrets to which an override refers. Their chart values take precedence over the release's values.
   */
  readonly overridesFrom: readonly ValuesObject[];
  /** Values that are merged after `overridesFrom`; null if the values of the release already contain them. */
  readonly lastValues: JsonMap | null;
  /** Whether updates of the component by Flux and helmfile are suspended. */
  readonly suspended: boolean;
}

/** All components of an environment, in startup order. */
export interface Model {
  readonly environment: Environment;
  /** The registry that mirrors all images; null if images are pulled from upstream. */
  readonly mirror: Mirror | null;
  readonly components: readonly ComponentModel[];
}

/** Helm release of a component that is delivered as a chart; null for other components. */
export function releaseOf({ delivery }: Pick<ComponentModel, "delivery">): Release | null {
  return delivery.kind === "chart" ? delivery.release : null;
}

/** Objects that meshops generates for components. */
export function objectsOf(components: readonly Pick<ComponentModel, "objects">[]): KubernetesObject[] {
  return components.flatMap(({ objects }) => Object.values(objects).flat());
}

/** Sets of pods of all components. */
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

/** Ids of the components that a component needs. */
export function neededComponents({ needs }: Pick<ComponentModel, "needs">): string[] {
  return needs.flatMap((need) => ("component" in need ? [need.component] : []));
}
