import type { Image } from "../catalog/image.ts";
import type { ChartRepository } from "../catalog/repositories.ts";
import type { Identity } from "../identity/identity.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import type { Environment } from "../spec/environment.generated.ts";

/** What the components are built from: nothing else decides what the bundle says. */
export interface Input {
  readonly environment: Environment;
  readonly identity: Identity;
}

/** A Helm release, installed the same by Flux and by helmfile. */
export interface Release {
  readonly name: string;
  readonly chart: string;
  readonly repository: ChartRepository;
  readonly version: string;
  readonly values: JsonMap;
  /** Strategic-merge patches on what the chart renders, for what has no value. */
  readonly patches: readonly KubernetesObject[];
  /** Fields that somebody else owns, which drift detection must leave alone. */
  readonly driftIgnored: readonly { readonly kind: string; readonly paths: readonly string[] }[];
}

/** One component of one environment, as values: what becomes its overlay and its place in Flux and helmfile. */
export interface ComponentModel {
  readonly name: string;
  readonly namespace: string;
  /** Application that the component's objects belong to (`app.kubernetes.io/part-of`). */
  readonly partOf: "linkerd" | "dgraph" | "grafana" | "meshops";
  /** Components that must be ready first. */
  readonly needs: readonly string[];
  /** Folder under bases/ that the overlay builds on; null where there is nothing the same in every environment. */
  readonly base: string | null;
  readonly release: Release | null;
  /** Objects of the overlay's own, by file name without ending. */
  readonly resources: { readonly [file: string]: readonly KubernetesObject[] };
  /** Patches on the base's objects. */
  readonly patches: readonly KubernetesObject[];
  /** SOPS-encrypted Secrets of the overlay, by name; somebody else writes the files. */
  readonly secrets: readonly string[];
  /** Upstream images that the component runs. */
  readonly images: readonly Image[];
  /** What the images stand for that the base's objects name without a tag, by that name; the overlay pins them, or points to the mirror. */
  readonly baseImages: { readonly [name: string]: Image };
  /** How helmfile brings it: as a release, or by the hook before the first one. */
  readonly helmfile: "release" | "hook";
  /**
   * Minutes that it may take to become ready. A wrong value of a chart is taken back only after this time, if Flux's controllers run without the
   * feature gate CancelHealthCheckOnNewRevision; so it is short where nothing holds data (the control plane was ready after 60 to 90 s).
   */
  readonly timeoutMinutes: number;
}

/** All components of an environment, in the order in which they come up. */
export interface Model {
  readonly environment: Environment;
  /** Host of the registry that mirrors all images; null where images come from upstream. */
  readonly mirror: string | null;
  readonly components: readonly ComponentModel[];
}
