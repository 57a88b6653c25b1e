import { posix } from "node:path";
import { asMap, groupBy, groupByEach, listOf } from "../system/data.ts";
import type { KubernetesObject } from "./object.ts";
import { at, mapAt } from "./object-fields.ts";
import type { Manifest } from "./read.ts";
import { selects } from "./selectors.ts";
import { type Labels, type Workload, workloadOf } from "./workload.ts";

/** A set of objects that the rules check together, as if all objects were in the same cluster. */
export class ManifestSet {
  /**
   * All objects of the input, including patches for other objects. The field `objects` does not contain the patches.
   */
  readonly stated: readonly Manifest[];
  readonly statedWorkloads: readonly Workload[];
  readonly objects: readonly Manifest[];
  readonly workloads: readonly Workload[];
  /**
   * Namespaces into which HelmReleases of Flux and Applications of Argo CD install objects. An empty string is a
   * namespace that is not known.
   */
  readonly #delivered: ReadonlySet<string>;
  readonly #byKind: ReadonlyMap<string, readonly Manifest[]>;
  readonly #byName: ReadonlyMap<string, readonly Manifest[]>;
  readonly #byNamespace: ReadonlyMap<string, readonly Workload[]>;
  readonly #behind = new Map<Manifest, readonly Workload[]>();
  #byLabel: ReadonlyMap<string, readonly Workload[]> | null = null;
  #services: ReadonlyMap<Manifest, readonly Manifest[]> | null = null;

  constructor(stated: readonly Manifest[]) {
    this.stated = stated;
    this.statedWorkloads = stated.flatMap((object) => workloadOf(object) ?? []);
    this.objects = stated.filter((object) => !isPatch(object));
    this.workloads = this.objects.flatMap((object) => workloadOf(object) ?? []);
    const kindOf = ({ apiVersion, kind }: Manifest): string => `${groupOf(apiVersion)}|${kind}`;
    this.#byKind = groupBy(this.objects, kindOf);
    this.#byName = groupBy(this.objects, (object) => `${kindOf(object)}|${object.name}`);
    this.#byNamespace = groupBy(this.workloads, ({ manifest }) => manifest.namespace);
    this.#delivered = new Set(this.#deliveries());
  }

  #deliveries(): string[] {
    const releases = this.ofKind("helm.toolkit.fluxcd.io", "HelmRelease").map((release) =>
      String(at(release.value, "spec", "targetNamespace") ?? release.namespace),
    );
    const applications = this.ofKind("argoproj.io", "Application").map(({ value }) =>
      String(at(value, "spec", "destination", "namespace") ?? ""),
    );
    return [...releases, ...applications].map((namespace) => (namespace.includes("${") ? "" : namespace));
  }

  /**
   * Whether a HelmRelease of Flux or an Application of Argo CD can install objects into a namespace. The set does not
   * contain the objects that such a HelmRelease or Application installs.
   *
   * @param namespace a namespace; empty if it is not known
   */
  isPartialIn(namespace: string): boolean {
    return this.#delivered.has("") || (namespace === "" ? this.#delivered.size > 0 : this.#delivered.has(namespace));
  }

  /** Returns the objects of the given kinds in any version of their API group. */
  ofKind(group: string, ...kinds: string[]): readonly Manifest[] {
    return kinds.flatMap((kind) => this.#byKind.get(`${group}|${kind}`) ?? []);
  }

  /** Returns the objects of an API group whose kind satisfies a condition. */
  objectsOf(group: string, isWanted: (kind: string) => boolean): readonly Manifest[] {
    const wanted = [...this.#byKind].filter(([key]) => key.startsWith(`${group}|`) && isWanted(key.slice(group.length + 1)));
    return wanted.flatMap(([, objects]) => objects);
  }

  /** Returns the objects with the given kind and name in any namespace. */
  named(group: string, kind: string, name: string): readonly Manifest[] {
    return this.#byName.get(`${group}|${kind}|${name}`) ?? [];
  }

  /**
   * Returns the Namespace with the given name for an object. Returns null if the set does not contain the Namespace.
   * Searches the file of the object first, then the files in related folders (see `isRelated`), and then all other
   * files. The result is also null if the files in related folders, or all other files, contain several such Namespaces
   * with different metadata: files in one folder can belong to different applications.
   *
   * @param by the object; if omitted, the first Namespace with this name is returned
   */
  namespaceOf(name: string, by?: Manifest): Manifest | null {
    const copies = this.named("", "Namespace", name);
    const [first = null, ...others] = copies;
    if (by === undefined || others.length === 0) return first;
    const inFile = copies.filter(({ source }) => source.file === by.source.file);
    if (inFile.length > 0) return inFile.at(-1) ?? null;
    const near = copies.filter((copy) => ManifestSet.isRelated(by, copy));
    const candidates = near.length > 0 ? near : copies;
    const texts = new Set(candidates.map(({ value }) => JSON.stringify(value["metadata"])));
    return texts.size === 1 ? (candidates[0] ?? null) : null;
  }

  /**
   * Returns the labels of a namespace: the labels of its Namespace object in the set, and the label
   * `kubernetes.io/metadata.name`, which Kubernetes always sets.
   *
   * @param by see `namespaceOf`
   */
  namespaceLabels(name: string, by?: Manifest): Labels {
    const labels = mapAt(this.namespaceOf(name, by)?.value["metadata"], "labels");
    return { ...labels, "kubernetes.io/metadata.name": name };
  }

  /**
   * Whether two objects can be in the same namespace, given the namespaces that they specify. An object that specifies
   * no namespace can be in any namespace.
   */
  static mayShareNamespace(a: string, b: string): boolean {
    return a === b || a === "" || b === "";
  }

  /**
   * Whether `object` belongs to the namespace that `by` specifies. If `object` or `by` specifies no namespace, returns
   * the result of `isRelated`, because objects in unrelated folders can belong to different applications.
   *
   * @param namespace namespace that `by` specifies; default: the namespace of `by`
   */
  static sharesNamespace(by: Manifest, object: Manifest, namespace: string = by.namespace): boolean {
    if (namespace !== "" && object.namespace !== "") return namespace === object.namespace;
    return ManifestSet.isRelated(by, object);
  }

  /**
   * Whether the files of two objects are in the same folder, or the folder of one file contains the folder of the other
   * file.
   */
  static isRelated(a: Manifest, b: Manifest): boolean {
    return areRelated(a.source.file, b.source.file);
  }

  /**
   * Whether the set contains more than one object of the core group with this kind and name. If true, the set probably
   * contains several applications or environments.
   */
  isRepeated(kind: string, name: string): boolean {
    return this.named("", kind, name).length > 1;
  }

  /**
   * Returns the workloads whose pods match a selector and which are in the namespace of the object `by` (see
   * `sharesNamespace`).
   */
  selected(by: Manifest, selector: unknown): Workload[] {
    return this.maybeSelected(by.namespace, selector).filter(({ manifest }) => ManifestSet.sharesNamespace(by, manifest));
  }

  /**
   * Returns the workloads that can be in a namespace and whose pods match a selector. A workload that specifies no
   * namespace can be in any namespace.
   */
  maybeSelected(namespace: string, selector: unknown): Workload[] {
    const labelled = this.#labelled(selector);
    const near =
      namespace === ""
        ? (labelled ?? this.workloads)
        : [namespace, ""].flatMap(
            (name) => labelled?.filter(({ manifest }) => manifest.namespace === name) ?? this.#byNamespace.get(name) ?? [],
          );
    return near.filter(({ labels }) => selects(selector, labels));
  }

  /**
   * Returns the workloads that have the rarest label of a selector. Without this index, the time for a set of Services
   * and workloads would be quadratic. Returns null if the selector has no `matchLabels`.
   */
  #labelled(selector: unknown): readonly Workload[] | null {
    this.#byLabel ??= groupByEach(this.workloads, ({ labels }) =>
      Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`),
    );
    const lists = Object.entries(mapAt(selector, "matchLabels")).map(
      ([key, value]) => this.#byLabel?.get(`${key}=${String(value)}`) ?? [],
    );
    return lists.length === 0 ? null : lists.reduce((best, list) => (list.length < best.length ? list : best));
  }

  /**
   * Returns the workloads whose pods a Service selects. Returns an empty list if the Service has no selector, because
   * other programs then manage the endpoints of the Service.
   */
  workloadsOf(service: Manifest): readonly Workload[] {
    const known = this.#behind.get(service);
    if (known !== undefined) return known;
    const selector = mapAt(specOf(service), "selector");
    const found = Object.keys(selector).length === 0 ? [] : this.selected(service, { matchLabels: selector });
    this.#behind.set(service, found);
    return found;
  }

  /** Returns the Services that select a workload. */
  servicesOf(workload: Workload): readonly Manifest[] {
    this.#services ??= this.#findServices();
    return this.#services.get(workload.manifest) ?? [];
  }

  #findServices(): ReadonlyMap<Manifest, readonly Manifest[]> {
    const pairs = this.ofKind("", "Service").flatMap((service) =>
      this.workloadsOf(service).map(({ manifest }) => ({ service, manifest })),
    );
    const groups = [...groupBy(pairs, ({ manifest }) => manifest)];
    return new Map(groups.map(([manifest, own]) => [manifest, own.map(({ service }) => service)]));
  }
}

/** Whether two files are in the same folder, or the folder of one file contains the folder of the other file. */
function areRelated(a: string, b: string): boolean {
  if (a === b) return true;
  const [one, other] = [posix.dirname(a), posix.dirname(b)];
  const contains = (folder: string, inner: string): boolean =>
    folder === inner || folder === "." || inner.startsWith(`${folder}/`);
  return contains(one, other) || contains(other, one);
}

/**
 * Whether an object is a patch for another object. A workload without containers is a patch. A Service without ports is
 * a patch, unless it is headless or has the type ExternalName.
 */
function isPatch(object: Manifest): boolean {
  if (object.kind === "Service" && object.apiVersion === "v1") {
    const { ports, type, clusterIP } = specOf(object);
    return ports === undefined && type !== "ExternalName" && clusterIP !== "None";
  }
  const workload = workloadOf(object);
  return workload !== null && listOf(workload.pod["containers"]).length === 0;
}

export function annotationsOf({ value }: Manifest): Labels {
  return mapAt(value, "metadata", "annotations");
}

/** Whether an object is a Helm hook. */
export function isHook(manifest: Manifest): boolean {
  return "helm.sh/hook" in annotationsOf(manifest);
}

export function specOf({ value }: Manifest): Readonly<Record<string, unknown>> {
  return asMap(value["spec"]);
}

/** Returns `spec.chart.spec` of a HelmRelease, which contains the name and version of the chart. */
export function chartOf(release: Manifest): Readonly<Record<string, unknown>> {
  return mapAt(specOf(release)["chart"], "spec");
}

/** Returns the API group of an `apiVersion`; empty for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/** Like `idOf`, for an object that was not parsed from a manifest. */
export function idOfObject({ apiVersion, kind, metadata }: Pick<KubernetesObject, "apiVersion" | "kind" | "metadata">): string {
  return idOf({ apiVersion, kind, namespace: metadata.namespace ?? "", name: metadata.name });
}

/**
 * Returns a string that identifies an object in a cluster. The string contains API group, kind, namespace and name, but
 * not the API version.
 */
export function idOf({
  apiVersion,
  kind,
  namespace,
  name,
}: Pick<Manifest, "apiVersion" | "kind" | "namespace" | "name">): string {
  return JSON.stringify([groupOf(apiVersion), kind, namespace, name]);
}
