import { pulledAs } from "../../catalog/image.ts";
import type { ComponentModel, Model, Release } from "../../components/model.ts";
import type { JsonMap, KubernetesObject } from "../../kubernetes/object.ts";
import { toBundleYaml } from "../../kubernetes/yaml.ts";
import { encryptedName, overlayFolder, patchesFile, releaseFile, valuesFile } from "../../spec/layout.ts";
import { header } from "../bundle.ts";

type File = [path: string, text: string];

/** The overlays of an environment: one Kustomize folder a component. */
export function* emitOverlays(model: Model): Iterable<File> {
  for (const component of model.components) {
    const folder = overlayFolder(model.environment.metadata.name, component.name);
    for (const [file, text] of overlay(component, model)) yield [`${folder}/${file}`, text];
  }
}

function* overlay(component: ComponentModel, model: Model): Iterable<File> {
  const head = header(model.environment.metadata.name);
  const { release } = component;
  if (release !== null) {
    yield [valuesFile, toBundleYaml([release.values], head)];
    yield [releaseFile, toBundleYaml([releasePatch(component, release)], head)];
    if (release.patches.length > 0) yield [patchesFile, toBundleYaml(release.patches, head)];
  }
  const folder = resourcesFolder(component);
  for (const [file, objects] of Object.entries(component.resources)) yield [`${folder}${file}.yaml`, toBundleYaml(objects, head)];
  if (folder !== "") yield [`${folder}kustomization.yaml`, toBundleYaml([publicKustomization(component)], head)];
  if (component.patches.length > 0) yield [patchesFile, toBundleYaml(component.patches, head)];
  yield ["kustomization.yaml", toBundleYaml([kustomization(component, model)], head)];
}

/**
 * Objects beside encrypted Secrets stand in a folder of their own, which builds by itself:
 * helmfile installs that one, since Secrets must not enter a Helm release.
 */
export function resourcesFolder(component: ComponentModel): "" | "public/" {
  return component.secrets.length > 0 && Object.keys(component.resources).length > 0 ? "public/" : "";
}

const kustomizationType = { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization" } as const;

function kustomization(component: ComponentModel, { mirror }: Model): JsonMap {
  const { name, namespace, base, release, secrets, patches, baseImages } = component;
  const bases = "../../../bases";
  const folder = resourcesFolder(component);
  const own = folder === "" ? Object.keys(component.resources).map((file) => `${file}.yaml`) : [folder.replace("/", "")];
  const patchFiles = release !== null ? [releaseFile] : patches.length > 0 ? [patchesFile] : [];
  return withoutEmpty({
    ...kustomizationType,
    namespace: base === null ? "" : namespace,
    resources: [...(base === null ? [] : [`${bases}/${base}`]), ...own, ...secrets.map(encryptedName)],
    components: release === null ? [] : [`${bases}/helm-release`],
    configMapGenerator: release === null ? [] : [{ name: `${name}-values`, files: [valuesFile] }],
    patches: [...patchFiles.map((path): JsonMap => ({ path })), ...(secrets.length === 0 ? [] : [keptByHelm])],
    images: Object.entries(baseImages).map(([name, image]) => ({
      name,
      newName: pulledAs(image.name, mirror),
      newTag: image.tag,
    })),
    labels: [{ pairs: commonLabels(component) }],
  });
}

/**
 * Helm deletes at an upgrade what the old manifest had and the new one lacks, as the Secrets of a mesh whose chart once made its own
 * certificates; it spares objects with this annotation, which it reads off the live object (helm, pkg/kube/client.go).
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

function publicKustomization(component: ComponentModel): JsonMap {
  return {
    ...kustomizationType,
    resources: Object.keys(component.resources).map((file) => `${file}.yaml`),
    labels: [{ pairs: commonLabels(component) }],
  };
}

/** Labels of every object that meshops writes. */
export function commonLabels({ partOf }: Pick<ComponentModel, "partOf">): JsonMap {
  return { "app.kubernetes.io/managed-by": "meshops", "app.kubernetes.io/part-of": partOf };
}

/** What of the base's HelmRelease differs between environments. */
function releasePatch({ name, timeoutMinutes }: ComponentModel, release: Release): JsonMap {
  const ignore = release.driftIgnored.map(({ kind, paths }) => ({ paths, target: { kind } }));
  return {
    apiVersion: "helm.toolkit.fluxcd.io/v2",
    kind: "HelmRelease",
    metadata: { name },
    spec: {
      ...(release.name === name ? {} : { releaseName: release.name }),
      chart: { spec: { version: release.version } },
      timeout: `${timeoutMinutes}m`,
      ...(ignore.length === 0 ? {} : { driftDetection: { ignore } }),
      ...(release.patches.length === 0 ? {} : { postRenderers: [{ kustomize: { patches: release.patches.map(inlinePatch) } }] }),
    },
  };
}

function inlinePatch(patch: KubernetesObject): JsonMap {
  return { patch: toBundleYaml([patch]) };
}
