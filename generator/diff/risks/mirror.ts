import type { Assessment, ChangedObject, ChangeSet, FieldChange, Step } from "../../components/change-rule.ts";
import { at, mapAt } from "../../kubernetes/object-fields.ts";
import { isMap } from "../../system/data.ts";

/**
 * Assesses a chart whose images come from the environment's own registry (`registry`, or `azure.registry`). If an image
 * is missing in this registry, pods with this image do not start. The user must therefore copy the images of a new
 * chart to the registry before the push. A new registry contains no images, and the cluster has no permission to pull
 * from it, until `meshops bootstrap` runs.
 */
export function* mirroredImages(
  { kind, name, change, fields, before, after }: ChangedObject,
  { environment, objects }: ChangeSet,
): Iterable<Assessment> {
  const other =
    (change === "added" && !isMoved(after, objects)) ||
    fields.some(({ path }) => path === "spec.chart.spec.version" || path.endsWith("image.tag"));
  if ((kind !== "HelmRelease" && kind !== "Overlay") || change === "removed") return;
  const [old, registry] = [before, after].map(registryOf);
  if (registry === undefined) return;
  if (change === "changed" && registry !== old) {
    yield {
      risk: "rollout",
      reason: `the images of ${name} come from ${registry}. If an image is missing in this registry, pods with this image do not start. If the image of the proxy is missing, no new meshed pod starts`,
      prerequisites: [
        registry.endsWith(ofAzure)
          ? {
              phase: "before",
              text: "Before you push, create the registry, allow the cluster to pull from the registry, and copy the images to the registry.",
              command: `meshops bootstrap ${environment} --run`,
            }
          : copy(environment),
      ],
    };
    return;
  }
  if (kind !== "HelmRelease" || !other) return;
  yield {
    risk: "rollout",
    reason: `the images of ${name} come from ${registry}. This registry must contain the images of the new chart`,
    prerequisites: [copy(environment)],
  };
}

/**
 * Whether another HelmRelease with the same chart and version is removed at the same time. In this case, only the name
 * or the namespace of the HelmRelease changes.
 */
function isMoved(release: ChangedObject["after"], objects: readonly ChangedObject[]): boolean {
  const chartOf = (object: ChangedObject["after"]): string => {
    const { chart, version } = mapAt(object, "spec", "chart", "spec");
    return `${String(chart)} ${String(version)}`;
  };
  return objects.some(
    (other) => other.kind === "HelmRelease" && other.change === "removed" && chartOf(other.before) === chartOf(release),
  );
}

/** Assesses a change after which pods use other Secrets (`imagePullSecrets`) to pull their images. */
export function* pullSecretRisks({ fields }: ChangedObject, { objects }: ChangeSet): Iterable<Assessment> {
  const names = pullSecretsIn(fields);
  if (names.length === 0) return;
  const secret = names.join(" and ");
  const namespaces = [
    ...new Set(objects.filter((each) => pullSecretsIn(each.fields).length > 0).map(({ namespace }) => namespace)),
  ].sort();
  yield {
    risk: "rollout",
    reason: `the pods now pull their images with Secret ${secret}. If the Secret is missing in the namespace of a pod, and the registry requires a login, the pod does not start`,
    prerequisites: [
      {
        phase: "before",
        text: `Before you push, create Secret ${secret} in ${namespaces.includes("") ? "the namespaces of the pods" : `${namespaces.length === 1 ? "namespace" : "the namespaces"} ${namespaces.join(", ")}`}. Meshed pods also need the Secret to pull the image of the proxy: create the Secret in all namespaces with meshed pods, and list the Secret in imagePullSecrets of these pods or of their service accounts. The proxy injector does not add the Secret to pods.`,
        command: `kubectl get secrets --all-namespaces --field-selector metadata.name=${names[0]}`,
      },
    ],
  };
}

/** Returns the names of the pull Secrets in changed fields. */
function pullSecretsIn(fields: readonly FieldChange[]): string[] {
  const added = fields.filter(({ path, after }) => after !== undefined && pullSecretKey.test(`${path} ${JSON.stringify(after)}`));
  return [...new Set(added.flatMap(({ path, after }) => secretNames(path, after)))];
}

/**
 * Keys of lists of pull Secrets. In Kubernetes, each item of such a list is a map with the key `name`. In some charts,
 * each item is a name.
 */
const pullSecretKey = /\b(imagePullSecrets|pullSecrets)\b/;

/** Returns the names of the pull Secrets in a changed field, or in the maps that the field contains. */
function secretNames(path: string, value: unknown): string[] {
  if (isMap(value) && !pullSecretKey.test(path)) return Object.entries(value).flatMap(([key, inner]) => secretNames(key, inner));
  if (!pullSecretKey.test(path)) return [];
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.map((each) => String(typeof each === "string" ? each : at(each, "name"))).filter((name) => name !== "undefined");
}

function copy(environment: string): Step {
  return {
    text: "Copy the images to the registry before you push.",
    command: `meshops images ${environment} --mirror | bash -e`,
    phase: "before",
  };
}

const ofAzure = ".azurecr.io";

/** Paths of the chart values that specify the registry of images, in all charts of the catalog. */
const values = [["controllerImage"], ["defaultRegistry"], ["image", "registry"], ["webhook", "image", "name"]];

/** Registries from which the charts pull their images by default. */
const upstream = ["cr.l5d.io", "docker.io", "ghcr.io"];

/**
 * Returns the registry from which a release pulls its images; undefined if the release uses only upstream registries.
 */
function registryOf(object: ChangedObject["after"]): string | undefined {
  const found = values
    .flatMap((path) => at(object, "spec", "values", ...path) ?? [])
    .map((value) => String(value).split("/")[0] ?? "");
  return found.find((host) => !upstream.includes(host)) ?? /\b[a-z0-9]+\.azurecr\.io/.exec(JSON.stringify(object))?.[0];
}
