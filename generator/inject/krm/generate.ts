import { isManaged } from "../../catalog/well-known.ts";
import type { Model } from "../../components/model.ts";
import type { Path } from "../../diagnostics/source.ts";
import { idOf as objectId } from "../../kubernetes/manifest-set.ts";
import { mapAt } from "../../kubernetes/object-fields.ts";
import type { Edit } from "../../kubernetes/splice.ts";
import { basesFolder, fluxFolder, overlayFolder } from "../../spec/layout.ts";
import { canonicalJson } from "../../system/canonical.ts";
import { asMap, groupBy } from "../../system/data.ts";
import { fileNameOf, folderOf } from "../../system/text.ts";
import { type Answer, answer } from "./output.ts";
import { placeOf } from "./place.ts";
import { placed, type ResourceList } from "./resource-list.ts";
import { about, type Result } from "./result.ts";

type Item = Readonly<Record<string, unknown>>;

/**
 * Runs as a KRM generator, which adds the objects of an environment to a ResourceList. Updates each item that an
 * earlier run generated, or removes this item if it is no longer needed. Keeps all other items. Reports an error for
 * each item that meshops did not generate, and that has the same API group, kind, namespace and name as an object to
 * add.
 *
 * @param built objects that kustomize built from the bundle, each with the annotation `config.kubernetes.io/origin`
 */
export function generateList(list: ResourceList, model: Model, built: readonly Item[], results: readonly Result[]): Answer {
  const objects = inPlace(built, model);
  const wanted = new Map(objects.map((object) => [idOf(object), object]));
  const conflicting = list.items.filter((item) => wanted.has(idOf(item)) && !isGenerated(item, model));
  const all = [...results, ...conflicting.map(conflictResult)];
  const known = new Set(list.items.map(idOf));
  return answer(list, all, [
    ...list.items.flatMap((item, index): Edit[] => {
      const object = wanted.get(idOf(item));
      if (object !== undefined) return updates(withTracking(object, item), item, ["items", index]);
      return isGenerated(item, model) ? [{ op: "remove", path: ["items", index] }] : [];
    }),
    ...objects
      .filter((object) => !known.has(idOf(object)))
      .map((object): Edit => ({ op: "append", path: ["items"], value: object })),
  ]);
}

/**
 * Returns the edits that make an item equal to an object. The edits change only the top-level fields that differ. If
 * the item has a top-level field that the object does not have, a single edit replaces the whole item.
 */
function updates(object: Item, item: Item, path: Path): Edit[] {
  const isSame = (key: string): boolean => canonicalJson(object[key]) === canonicalJson(item[key]);
  if (Object.keys(item).some((key) => object[key] === undefined)) return [{ op: "set", path, value: object }];
  return Object.keys(object)
    .filter((key) => !isSame(key))
    .map((key) => ({ op: "set", path: [...path, key], value: object[key] }));
}

function conflictResult(item: Item): Result {
  const message =
    "meshops did not generate this object, but a generated object of the environment needs the same name. Rename or remove this object";
  return { message, severity: "error", ...about(item), field: { path: "metadata.name" } };
}

/**
 * Returns the object with some annotations of the existing item. Orchestrators such as kustomize identify the item by
 * these annotations.
 */
function withTracking(object: Item, item: Item): Item {
  const metadata = asMap(object["metadata"]);
  const tracking = Object.entries(mapAt(item, "metadata", "annotations")).filter(([key]) =>
    /^(internal\.config\.kubernetes\.io\/(id|annotations-migration-resource-id)|config\.k8s\.io\/id)$/.test(key),
  );
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...asMap(metadata["annotations"]), ...Object.fromEntries(tracking) } },
  };
}

/**
 * Whether an earlier run generated an item. This is the case if the path annotation of the item contains a path in a
 * folder of this environment, and the item has the label `app.kubernetes.io/managed-by: meshops`.
 */
function isGenerated(item: Item, { environment }: Model): boolean {
  const labels = mapAt(item, "metadata", "labels");
  const path = placeOf(item)?.path ?? "";
  const folders = [overlayFolder(environment.metadata.name), fluxFolder(environment.metadata.name)];
  return isManaged(labels) && folders.some((folder) => path.startsWith(`${folder}/`));
}

const originKey = "config.kubernetes.io/origin";

/**
 * Returns the objects with annotations that contain the file path of each object (see `fileOf`) and the index of the
 * object in this file. These annotations replace the annotation `config.kubernetes.io/origin`.
 */
function inPlace(built: readonly Item[], model: Model): Item[] {
  const files = groupBy(built, (object) => fileOf(object, model));
  return [...files].flatMap(([file, objects]) =>
    objects.map((object, index) => {
      const metadata = asMap(object["metadata"]);
      const { [originKey]: _, ...annotations } = asMap(metadata["annotations"]);
      return { ...object, metadata: { ...metadata, annotations: { ...annotations, ...placed(file, index) } } };
    }),
  );
}

/**
 * Returns the path for an object: the file from which kustomize built the object. If this file is in the base of a
 * component, returns a path in the overlay of the component instead (`overlays/<env>/<component>/<file>`).
 */
function fileOf(object: Item, { environment, components }: Model): string {
  const metadata = asMap(object["metadata"]);
  const origin = String(asMap(metadata["annotations"])[originKey] ?? "");
  const [, key = "", path = ""] = /^(path|configuredIn): (.*)$/m.exec(origin) ?? [];
  // A generator of kustomize, such as configMapGenerator, appends a hash to the name of its object. The object does not
  // come from a file, so the path is derived from the name without the hash.
  const name = String(metadata["name"]).replace(/-[a-z0-9]{10}$/, "");
  const file = key === "path" ? path : `${folderOf(path)}/${name}.yaml`;
  const component = components.find(({ delivery }) => "base" in delivery && folderOf(file) === `${basesFolder}/${delivery.base}`);
  if (component === undefined) return file;
  return `${overlayFolder(environment.metadata.name, component.id)}/${fileNameOf(file)}`;
}

function idOf({ apiVersion, kind, metadata }: Item): string {
  const { name, namespace = "" } = asMap(metadata);
  return objectId({ apiVersion: String(apiVersion), kind: String(kind), namespace: String(namespace), name: String(name) });
}
