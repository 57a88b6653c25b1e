import { isGeneratedBasePatch } from "../components/assessed.ts";
import { fluxName } from "../components/names.ts";
import { asYaml12, parseDocuments, valuesOf } from "../kubernetes/documents.ts";
import { groupOf } from "../kubernetes/manifest-set.ts";
import { at, mapAt } from "../kubernetes/object-fields.ts";
import {
  helmfileFile,
  lastValuesFile,
  overlaysFolder,
  patchesFile,
  releaseFile,
  transformersFile,
  valuesFile,
} from "../spec/layout.ts";
import { canonicalJson } from "../system/canonical.ts";
import { asMap } from "../system/data.ts";
import { mergeDeep } from "../system/merge.ts";
import { fileNameOf, folderOf } from "../system/text.ts";

/** Files of a repository. The keys are paths, and the values are texts. */
export type Files = ReadonlyMap<string, string>;

/** An object that one or more files of the bundle declare. The value of a HelmRelease includes its chart values. */
export interface StatedObject {
  readonly kind: string;
  /** Empty if the object has no namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly value: Record<string, unknown>;
  /** Files that declare the object. */
  readonly files: readonly string[];
}

/**
 * Returns the objects that the given files declare. The key of an object consists of its API group, kind, namespace and
 * name. The key does not contain the file that declares the object.
 */
export function statedObjects(files: Files): Map<string, StatedObject> {
  const objects = new Map<string, StatedObject>();
  for (const [path, text] of files)
    for (const object of objectsIn(path, text, files)) {
      const key = [groupOf(String(object.value["apiVersion"] ?? "")), object.kind, object.namespace, object.name].join("|");
      const known = objects.get(key);
      objects.set(
        key,
        known === undefined
          ? object
          : { ...known, value: merge(known.value, object.value), files: [...known.files, ...object.files] },
      );
    }
  return objects;
}

/** Returns the objects of a file. For a file that is not valid YAML, returns one object of the kind `File`. */
function objectsIn(path: string, text: string, files: Files): StatedObject[] {
  try {
    return readable(path, text, files);
  } catch {
    return [declared("File", "", path, { text }, path, "unreadable")];
  }
}

function readable(path: string, text: string, files: Files): StatedObject[] {
  const folder = folderOf(path);
  const component = fluxName(folder.split("/").slice(2).join("/"));
  const file = fileNameOf(path);
  if (file === helmfileFile) return [declared("Helmfile", "", folder, helmfile(text), path)];
  if (!path.endsWith(".yaml")) return [];
  const namespace = namespaceOf(files.get(`${folder}/kustomization.yaml`) ?? "");
  if (!path.startsWith(`${overlaysFolder}/`)) return documents(text).map((value) => ofDocument(value, "", path));
  if (file === "kustomization.yaml")
    return documents(text).map((value) => declared("Overlay", "", folder, withInlinePatches(value), path));
  if (file === lastValuesFile && files.has(`${folder}/${valuesFile}`)) return [];
  if (file === valuesFile) {
    const last = files.get(`${folder}/${lastValuesFile}`);
    const values = mergeDeep(asMap(onlyValue(text)), last === undefined ? {} : asMap(onlyValue(last)));
    const object = declared("HelmRelease", namespace, component, { spec: { values } }, path, release);
    return [{ ...object, files: last === undefined ? [path] : [path, `${folder}/${lastValuesFile}`] }];
  }
  if (file === releaseFile)
    return documents(text).map((value) => declared("HelmRelease", namespace, component, withPatches(value), path, release));
  // If the folder has a HelmRelease, the postRenderers of the HelmRelease contain the patches of patches.yaml and
  // transformers.yaml. Only helmfile uses these two files.
  if ([patchesFile, transformersFile].includes(file) && files.has(`${folder}/${releaseFile}`)) return [];
  const plain = documents(text);
  if (file !== patchesFile) return plain.map((value) => ofDocument(value, namespace, path));
  return plain.map((value) => {
    const object = ofDocument(value, namespace, path);
    return isGeneratedBasePatch(value)
      ? object
      : declared("Patch", object.namespace, `${object.kind}/${object.name}`, value, path);
  });
}

const release = "helm.toolkit.fluxcd.io/v2";

function declared(
  kind: string,
  namespace: string,
  name: string,
  value: Record<string, unknown>,
  file: string,
  apiVersion = "meshops.dev",
): StatedObject {
  return { kind, namespace, name, value: { ...value, apiVersion }, files: [file] };
}

function ofDocument(value: Record<string, unknown>, defaultNamespace: string, file: string): StatedObject {
  const { name = "", namespace } = asMap(value["metadata"]);
  const clusterWide = value["kind"] === "Namespace";
  return {
    kind: String(value["kind"] ?? ""),
    namespace: clusterWide ? "" : String(namespace ?? defaultNamespace),
    name: String(name),
    value,
    files: [file],
  };
}

function documents(text: string): Record<string, unknown>[] {
  return valuesOf(text).map(asMap);
}

/** Returns the value of a text with a single document. */
function onlyValue(text: string): unknown {
  const [value = null, ...others] = valuesOf(text);
  if (others.length > 0) throw new Error("more than one document");
  return value;
}

/** Returns one map with the keys of all documents of a helmfile. No key is in more than one document. */
function helmfile(text: string): Record<string, unknown> {
  return Object.assign({}, ...documents(text)) as Record<string, unknown>;
}

function namespaceOf(kustomization: string): string {
  const [document] = parseDocuments(kustomization, asYaml12);
  const { namespace } = asMap(document?.toJS() as unknown);
  return typeof namespace === "string" ? namespace : "";
}

/**
 * Replaces the inline patches of a HelmRelease by a map. Each key is the kind and name of an object, and each value
 * is the parsed patch of this object.
 */
function withPatches(value: Record<string, unknown>): Record<string, unknown> {
  const spec = asMap(value["spec"]);
  if (!Array.isArray(spec["postRenderers"])) return value;
  const entries = spec["postRenderers"].flatMap((renderer) => {
    const { patches } = mapAt(renderer, "kustomize");
    return Array.isArray(patches) ? patches.map(asMap) : [];
  });
  return { ...value, spec: { ...spec, postRenderers: byObject(entries) } };
}

/**
 * If a kustomization.yaml contains `transformers`, replaces its inline patches by a map, in the same way as
 * `withPatches`. Returns every other kustomization.yaml unchanged. The kustomization.yaml of a HelmRelease contains no
 * `transformers`.
 */
function withInlinePatches(value: Record<string, unknown>): Record<string, unknown> {
  const { patches, transformers } = value;
  return Array.isArray(patches) && transformers !== undefined ? { ...value, patches: byObject(patches.map(asMap)) } : value;
}

/**
 * Returns a map of patches. The key of a patch is its target. If the patch has no target, or if the target consists
 * only of the kind and name in the patch, the key is this kind and name.
 */
function byObject(entries: readonly Record<string, unknown>[]): Record<string, unknown> {
  const patches = entries.map(({ target, patch }): [string, unknown] => {
    const parsed = asMap(onlyValue(String(patch)));
    const { kind, metadata, ...rest } = parsed;
    const { name, namespace: _, ...meta } = asMap(metadata);
    if (target !== undefined && !isTargetOf(asMap(target), kind, name))
      return [`target ${JSON.stringify(target)}`, { patch: onlyValue(String(patch)) }];
    delete rest["apiVersion"];
    return [`${String(kind)}/${String(name)}`, { metadata: meta, ...rest }];
  });
  return patches.reduce((all, [key, patch]) => merge(all, { [key]: patch }), {});
}

/** Whether a target consists only of the given kind and the given name. */
function isTargetOf(target: Record<string, unknown>, kind: unknown, name: unknown): boolean {
  return typeof name === "string" && canonicalJson(target) === canonicalJson({ kind, name: name.replaceAll(".", "\\.") });
}

/**
 * Returns the namespace that an overlay sets on objects without a namespace; empty if the overlay sets no namespace.
 */
export function defaultNamespaceOf({ transformers }: Readonly<Record<string, unknown>>): string {
  const [first] = Array.isArray(transformers) ? transformers : [];
  return first === undefined ? "" : String(at(onlyValue(String(first)), "metadata", "namespace") ?? "");
}

/** Merges two parts of one object: maps are merged, lists are concatenated. */
function merge(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  return mergeDeep(a, b, (below, value) => (Array.isArray(below) && Array.isArray(value) ? [...below, ...value] : value));
}
