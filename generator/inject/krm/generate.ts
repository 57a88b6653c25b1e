import { isSeq } from "yaml";
import type { Model } from "../../components/model.ts";
import { append, removeItem, setAt } from "../../kubernetes/edit.ts";
import { idOf as objectId } from "../../kubernetes/manifest-set.ts";
import { basesFolder, fluxFolder, overlayFolder } from "../../spec/layout.ts";
import { asMap, groupBy } from "../../system/data.ts";
import { folderOf } from "../../system/text.ts";
import { type Answer, answer } from "./output.ts";
import { placeOf } from "./place.ts";
import { placed, type ResourceList } from "./resource-list.ts";
import { about, type Result } from "./result.ts";

type Item = Readonly<Record<string, unknown>>;

/**
 * The generator: puts the objects of an environment into the list. Those of an earlier run are brought up to date, and those that are no
 * longer made are taken out; everything else stays, and somebody else's object of the same name is an error.
 *
 * @param built objects as kustomize builds them of the bundle, with the annotation that says where each comes from
 */
export function generateList(list: ResourceList, model: Model, built: readonly Item[], results: readonly Result[]): Answer {
  const objects = inPlace(built, model);
  const wanted = new Map(objects.map((object) => [idOf(object), object]));
  const taken = list.items.filter((item) => wanted.has(idOf(item)) && !isOwn(item, model));
  const all = [...results, ...taken.map(takenResult)];
  return answer(list, all, (document) => {
    if (!isSeq(document.get("items", true))) setAt(document, ["items"], []);
    const known = new Set(list.items.map(idOf));
    const stale = list.items.flatMap((item, index) => (isOwn(item, model) && !wanted.has(idOf(item)) ? [index] : []));
    list.items.forEach((item, index) => {
      const object = wanted.get(idOf(item));
      if (object !== undefined) setAt(document, ["items", index], withTracking(object, item));
    });
    for (const object of objects) if (!known.has(idOf(object))) append(document, ["items"], object);
    for (const index of stale.toReversed()) removeItem(document, ["items", index]);
  });
}

function takenResult(item: Item): Result {
  const message = "stands where an object of the environment belongs, and meshops did not write it";
  return { message, severity: "error", ...about(item), field: { path: "metadata.name" } };
}

/** Orchestrators tell items apart by annotations of their own, which stay. */
function withTracking(object: Item, item: Item): Item {
  const metadata = asMap(object["metadata"]);
  const tracking = Object.entries(asMap(asMap(item["metadata"])["annotations"])).filter(([key]) =>
    /^(internal\.config\.kubernetes\.io\/(id|annotations-migration-resource-id)|config\.k8s\.io\/id)$/.test(key),
  );
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...asMap(metadata["annotations"]), ...Object.fromEntries(tracking) } },
  };
}

/** What an earlier run has made: it stands where this environment's objects stand, and says who manages it. */
function isOwn(item: Item, { environment }: Model): boolean {
  const labels = asMap(asMap(item["metadata"])["labels"]);
  const path = placeOf(item)?.path ?? "";
  const folders = [overlayFolder(environment.metadata.name), fluxFolder(environment.metadata.name)];
  return labels["app.kubernetes.io/managed-by"] === "meshops" && folders.some((folder) => path.startsWith(`${folder}/`));
}

const originKey = "config.kubernetes.io/origin";

/** Objects with the place where `generate` writes them, or where it writes what they are made of. */
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

/** `overlays/<env>/<component>/<file>`: bases are part of every component that builds on them. */
function fileOf(object: Item, { environment, components }: Model): string {
  const metadata = asMap(object["metadata"]);
  const origin = String(asMap(metadata["annotations"])[originKey] ?? "");
  const [, key = "", path = ""] = /^(path|configuredIn): (.*)$/m.exec(origin) ?? [];
  // What a generator made has a name with a hash, and no file of its own.
  const name = String(metadata["name"]).replace(/-[a-z0-9]{10}$/, "");
  const file = key === "path" ? path : `${folderOf(path)}/${name}.yaml`;
  const component = components.find(({ delivery }) => "base" in delivery && folderOf(file) === `${basesFolder}/${delivery.base}`);
  if (component === undefined) return file;
  return `${overlayFolder(environment.metadata.name, component.id)}/${file.slice(file.lastIndexOf("/") + 1)}`;
}

function idOf({ apiVersion, kind, metadata }: Item): string {
  const { name, namespace = "" } = asMap(metadata);
  return objectId({ apiVersion: String(apiVersion), kind: String(kind), namespace: String(namespace), name: String(name) });
}
