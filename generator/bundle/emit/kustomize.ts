import { type Image, mirroredName } from "../../catalog/image.ts";
import { isOci, type OciChart } from "../../catalog/repositories.ts";
import type { Release, ValuesObject } from "../../components/component.ts";
import { type ComponentModel, hasSecrets, isDelivered, type Model, releaseOf } from "../../components/model.ts";
import { fluxName } from "../../components/names.ts";
import type { JsonMap } from "../../kubernetes/object.ts";
import { toBundleYaml } from "../../kubernetes/yaml.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import {
  basesFolder,
  encryptedName,
  lastValuesFile,
  overlayFolder,
  patchesFile,
  releaseFile,
  repositoryFile,
  transformersFile,
  valuesFile,
} from "../../spec/layout.ts";
import { header } from "../bundle.ts";
import { commonLabels } from "./names.ts";
import { imageNames, inline, plainPatches, targetedPatches, transformersOf } from "./patches.ts";
import { accountOf, placementOf } from "./placement.ts";

type File = [path: string, text: string];

/** Emits the overlays of an environment: one Kustomize folder per component that meshops delivers. */
export function* emitOverlays(model: Model): Iterable<File> {
  for (const component of model.components) {
    if (!isDelivered(component)) continue;
    const folder = overlayFolder(model.environment.metadata.name, component.id);
    for (const [file, text] of overlay(component, model)) yield [`${folder}/${file}`, text];
  }
}

function* overlay(component: ComponentModel, model: Model): Iterable<File> {
  const head = header(model.environment.metadata.name);
  const release = releaseOf(component);
  const plain = plainPatches(component.patches);
  if (release !== null) {
    yield [valuesFile, toBundleYaml([release.values], head)];
    if (component.lastValues !== null) yield [lastValuesFile, toBundleYaml([component.lastValues], head)];
    yield [releaseFile, toBundleYaml([helmRelease(component, release, model.environment)], head)];
    yield [repositoryFile, toBundleYaml([chartSource(component, release)], head)];
    const transformers = transformersOf(component);
    if (transformers.length > 0) yield [transformersFile, toBundleYaml(transformers, head)];
  }
  if (plain.length > 0) yield [patchesFile, toBundleYaml(plain, head)];
  for (const { name, text } of component.encryptedFiles) yield [name, text];
  const folder = objectsFolder(component);
  for (const [file, objects] of Object.entries(component.objects)) yield [`${folder}${file}.yaml`, toBundleYaml(objects, head)];
  if (folder !== "") yield [`${folder}kustomization.yaml`, toBundleYaml([publicKustomization(component, model)], head)];
  yield ["kustomization.yaml", toBundleYaml([kustomization(component, model)], head)];
}

/**
 * Returns the folder with all objects of a component except its Secrets, as a path in the component's overlay. If the
 * folder is the overlay itself, returns an empty string. If the component has both encrypted Secrets and other objects,
 * the other objects are in the folder `public/`, which has its own kustomization.yaml. helmfile installs only this
 * folder as a release, because Secrets must not be part of a Helm release.
 */
export function objectsFolder(component: ComponentModel): "" | "public/" {
  const hasObjects = Object.keys(component.objects).length > 0 || component.delivery.kind === "folder";
  return hasSecrets(component) && hasObjects ? "public/" : "";
}

/**
 * Converts the path of a folder in the repository to the relative path from this folder to the root of the repository.
 */
function pathToRoot(folder: string): string {
  return folder.replace(/[^/]+/g, "..");
}

const kustomizationType = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" } as const;

function kustomization(component: ComponentModel, model: Model): JsonMap {
  const { id, namespace, delivery, secrets, encryptedFiles, objects } = component;
  const folder = objectsFolder(component);
  const own = folder === "" ? Object.keys(objects).map((file) => `${file}.yaml`) : [folder.replace("/", "")];
  const toRoot = pathToRoot(overlayFolder(model.environment.metadata.name, id));
  const base = (name: string): string => `${toRoot}/${basesFolder}/${name}`;
  const based = delivery.kind === "chart" || delivery.kind === "kustomization";
  if (delivery.kind === "folder" && folder === "") return folderKustomization(component, delivery.path, toRoot);
  return withoutEmpty({
    ...kustomizationType,
    namespace: based ? namespace : "",
    resources: [
      ...(based ? [delivery.base === null ? releaseFile : base(delivery.base)] : []),
      ...(delivery.kind === "chart" ? [repositoryFile] : []),
      ...own,
      ...secrets.map(encryptedName),
      ...encryptedFiles.map(({ name }) => name),
    ],
    components: delivery.kind === "chart" ? [base("helm-release")] : [],
    configMapGenerator: delivery.kind === "chart" ? [{ name: `${fluxName(id)}-values`, files: valuesFilesOf(component) }] : [],
    patches: [...overlayPatches(component), ...(secrets.length === 0 ? [] : [keptByHelm])],
    images: delivery.kind === "kustomization" ? imagesOf(delivery.images, model) : [],
    // meshops does not change the labels of the user's objects, because selectors of other objects might contain these
    // labels.
    labels: delivery.kind === "folder" ? [] : [{ pairs: commonLabels(component) }],
  });
}

/**
 * Returns the kustomization.yaml of a component whose objects are in a folder of the user.
 *
 * @param toRoot relative path from the folder of the kustomization.yaml to the root of the repository
 */
function folderKustomization(component: ComponentModel, path: string, toRoot: string): JsonMap {
  return withoutEmpty({
    ...kustomizationType,
    resources: [`${toRoot}/${path}`],
    patches: component.patches.map(inline),
    images: imageNames(component),
    transformers: [toBundleYaml([defaultNamespace(component)])],
  });
}

/**
 * Returns the transformer that sets the namespace of objects without a namespace. The field `namespace` of a
 * kustomization.yaml would also change the namespace of all other objects (kustomize,
 * api/builtins/NamespaceTransformer.go, `unsetOnly`).
 */
function defaultNamespace({ id, namespace }: ComponentModel): JsonMap {
  return {
    apiVersion: "builtin",
    kind: "NamespaceTransformer",
    metadata: { name: `${fluxName(id)}-namespace`, namespace },
    unsetOnly: true,
  };
}

/**
 * Returns the entries of the list `patches` in the kustomization.yaml of an overlay. If the component has a chart,
 * these entries patch only the HelmRelease of the component. The HelmRelease contains the patches of the component's
 * model, and Flux applies these patches to the rendered chart.
 */
function overlayPatches({ delivery, patches }: ComponentModel): JsonMap[] {
  if (delivery.kind === "folder") return [];
  if (delivery.kind === "chart")
    return [
      ...(delivery.base === null ? [] : [{ path: releaseFile }]),
      ...(delivery.release.ofUser === true ? [ofUserChart] : []),
    ];
  return [...(plainPatches(patches).length > 0 ? [{ path: patchesFile }] : []), ...targetedPatches(patches).map(inline)];
}

/**
 * Patch for charts that the user chose. The patch replaces settings in bases/helm-release that are suitable only for
 * the charts of Linkerd and Dgraph.
 */
const ofUserChart: JsonMap = {
  target: { kind: "HelmRelease" },
  patch: toBundleYaml([
    {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: "any" },
      spec: { driftDetection: { mode: "disabled" }, install: { crds: "Create" } },
    },
  ]),
};

function imagesOf(images: Readonly<Record<string, Image>>, { mirror }: Model): JsonMap[] {
  return Object.entries(images).map(([name, image]) => ({ name, newName: mirroredName(image.name, mirror), newTag: image.tag }));
}

/**
 * Patch that prevents Helm from deleting Secrets. During an upgrade, Helm deletes objects that are in the old manifest
 * but not in the new manifest. For example, the chart of an existing mesh can have generated the Secrets with the
 * certificates, and the new manifest does not contain these Secrets. Helm does not delete objects with the annotation
 * `helm.sh/resource-policy: keep`. Helm reads this annotation from the object in the cluster (helm,
 * pkg/kube/client.go).
 */
const keptByHelm: JsonMap = {
  target: { kind: "Secret" },
  patch: toBundleYaml([
    { apiVersion: "v1", kind: "Secret", metadata: { name: "any", annotations: { "helm.sh/resource-policy": "keep" } } },
  ]),
};

function withoutEmpty(map: JsonMap): JsonMap {
  return Object.fromEntries(
    Object.entries(map).filter(([, value]) => value !== "" && !(Array.isArray(value) && value.length === 0)),
  );
}

function publicKustomization(component: ComponentModel, { environment }: Model): JsonMap {
  const { id, delivery } = component;
  if (delivery.kind === "folder")
    return folderKustomization(component, delivery.path, `${pathToRoot(overlayFolder(environment.metadata.name, id))}/..`);
  return {
    ...kustomizationType,
    resources: Object.keys(component.objects).map((file) => `${file}.yaml`),
    labels: [{ pairs: commonLabels(component) }],
  };
}

/**
 * Returns the HelmRelease of a component. If the component has no base, the result is the whole object. Otherwise, the
 * result is a patch for the HelmRelease in the base.
 */
function helmRelease(component: ComponentModel, release: Release, environment: Environment): JsonMap {
  const { id, delivery, timeoutMinutes, needs } = component;
  const whole = delivery.kind === "chart" && delivery.base === null;
  const name = fluxName(id);
  const ignore = component.ignoredDrift.map(({ kind, paths }) => ({ paths, target: { kind } }));
  const dependsOn = needs.flatMap((need) => ("helmRelease" in need ? [{ ...need.helmRelease }] : []));
  return {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name },
    spec: {
      ...(component.suspended ? { suspend: true } : {}),
      ...(release.name === name && !whole ? {} : { releaseName: release.name }),
      ...(dependsOn.length === 0 ? {} : { dependsOn }),
      ...chartOf(component, release, whole),
      ...(whole || component.overridesFrom.length + component.valuesFrom.length > 0
        ? { valuesFrom: valuesFromOf(component) }
        : {}),
      ...accountOf(placementOf(environment)),
      timeout: `${timeoutMinutes}m`,
      ...(ignore.length === 0 ? {} : { driftDetection: { ignore } }),
      ...postRenderers(component),
    },
  };
}

/**
 * Returns the field `postRenderers` of a HelmRelease. The field contains the patches and the new image names for the
 * rendered chart. Returns an empty map if the component has neither patches nor new image names. Flux applies the
 * patches before the image names.
 */
function postRenderers(component: ComponentModel): JsonMap {
  const patches = component.patches.map(inline);
  const images = imageNames(component);
  const kustomize = { ...(patches.length === 0 ? {} : { patches }), ...(images.length === 0 ? {} : { images }) };
  return Object.keys(kustomize).length === 0 ? {} : { postRenderers: [{ kustomize }] };
}

/**
 * Returns the field of a HelmRelease that refers to the chart: `chartRef` for a chart in an OCI registry, otherwise
 * `chart`.
 */
function chartOf({ id, namespace }: ComponentModel, { chart, repository, version }: Release, whole: boolean): JsonMap {
  const name = fluxName(id);
  if (isOci(repository)) return { chartRef: { kind: "OCIRepository", name, namespace } };
  const sourceRef = { kind: "HelmRepository", name, namespace };
  return { chart: { spec: { ...(whole ? { chart, interval: "1h" } : {}), sourceRef, version } } };
}

/**
 * Returns the HelmRepository or the OCIRepository of a component's chart. This object has the same name and namespace
 * as the component's HelmRelease. Under Flux's multi-tenancy lockdown (`--no-cross-namespace-refs`), a HelmRelease can
 * only refer to a source in its own namespace (helm-controller, aclAllowAccessTo).
 */
function chartSource({ id }: ComponentModel, { repository, version }: Release): JsonMap {
  if (isOci(repository)) return ociRepository(fluxName(id), version, repository);
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "HelmRepository",
    metadata: { name: fluxName(id) },
    spec: { interval: "1h", url: repository.url },
  };
}

/**
 * Returns the OCIRepository of a chart in an OCI registry. Without a layer selector, source-controller extracts the
 * first layer of the artifact as a tarball of manifests. helm-controller needs the archive of the chart instead. The
 * operation `copy` keeps the layer as this archive (Flux docs, "OCIRepository", `.spec.layerSelector`). If a digest is
 * set, it takes precedence over the tag. A `+` in a chart version is `_` in a tag (helm, pkg/registry).
 */
function ociRepository(name: string, version: string, { oci, digest }: OciChart): JsonMap {
  return {
    apiVersion: "source.toolkit.fluxcd.io/v1",
    kind: "OCIRepository",
    metadata: { name },
    spec: {
      interval: "1h",
      url: oci,
      layerSelector: { mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", operation: "copy" },
      ref: { tag: version.replaceAll("+", "_"), ...(digest === null ? {} : { digest }) },
    },
  };
}

/**
 * Returns the names of the files with the values of a component's chart. Values in later files override values in
 * earlier files.
 */
export function valuesFilesOf({ lastValues }: ComponentModel): string[] {
  return lastValues === null ? [valuesFile] : [valuesFile, lastValuesFile];
}

/**
 * Returns the list for the field `valuesFrom` of a HelmRelease: the objects from which Flux reads the values of a
 * chart. Values in later objects override values in earlier objects.
 */
function valuesFromOf({ id, overridesFrom, lastValues, valuesFrom }: ComponentModel): JsonMap[] {
  const own = { kind: "ConfigMap", name: `${fluxName(id)}-values` };
  return [
    own,
    ...overridesFrom.map(reference),
    ...(lastValues === null ? [] : [{ ...own, valuesKey: lastValuesFile }]),
    ...valuesFrom.map(reference),
  ];
}

function reference({ kind, name, key, targetPath }: ValuesObject): JsonMap {
  return { kind, name, valuesKey: key, ...(targetPath === undefined ? {} : { targetPath }) };
}
