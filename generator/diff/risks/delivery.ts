import { injectKey, proxyPrefix } from "../../catalog/well-known.ts";
import { isGeneratedPatch } from "../../components/assessed.ts";
import {
  type Assessment,
  type ChangedObject,
  type ChangeSet,
  type FieldChange,
  type Step,
  sharedPush,
} from "../../components/change-rule.ts";
import { helmReleases, suspend, suspendKustomizations } from "../../components/flux-commands.ts";
import { fluxName, workloadId } from "../../components/names.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Environment, Workload } from "../../spec/environment.generated.ts";
import { deliversWorkload } from "../../spec/ownership.ts";
import { asMap, isMap } from "../../system/data.ts";
import { join } from "../fields.ts";
import { injection, ofPolicy } from "./namespace.ts";
import { overlayOf, successorOf } from "./placement.ts";

/**
 * Risks of changes to workloads that meshops delivers. meshops does not know the objects in the charts and folders of
 * these workloads.
 */
export function* deliveryRisks(changed: ChangedObject, all: ChangeSet): Iterable<Assessment> {
  const key = workloadOf(changed);
  if (key === null) return;
  const { environment, objects } = all;
  const { kind, change } = changed;
  if (change === "added" && kind !== "Kustomization") yield* added(changed);
  // If only the name or the namespace of the Kustomization changes, `placementRisks` assesses the change.
  if (
    change === "removed" &&
    (kind === "HelmRelease" || (kind === "Kustomization" && successorOf(changed, objects) === undefined))
  )
    yield removed(key, environment, objects, all.specs.after?.spec.workloads[key]);
  if (change === "changed") yield* ofFields(key, changed, all);
}

/** Returns the key of the workload for which meshops generated an object; null if the object is not for a workload. */
function workloadOf({ kind, name, before, after }: ChangedObject): string | null {
  if (["HelmRelease", "HelmRepository", "OCIRepository"].includes(kind)) return /^workload-(.+)$/.exec(name)?.[1] ?? null;
  const overlay = kind === "Overlay" ? name.split("/").slice(2).join("/") : (overlayOf(after) ?? overlayOf(before));
  return /^workloads\/(.+)$/.exec(overlay ?? "")?.[1] ?? null;
}

function* added({ kind, namespace, after }: ChangedObject): Iterable<Assessment> {
  if (kind === "HelmRelease") {
    const release = String(at(after, "spec", "releaseName"));
    const chart = at(after, "spec", "chart", "spec", "chart") ?? "its chart";
    yield {
      risk: "not-assessed",
      reason: `Flux installs ${String(chart)} as the Helm release ${release} in namespace ${namespace}. If this Helm release already exists, Flux upgrades the release. During the upgrade, Flux deletes the objects of the release that are not in the chart`,
    };
  }
  const [folder] = foldersOf(after);
  if (kind === "Overlay" && folder !== undefined)
    yield {
      risk: "not-assessed",
      reason: `Flux applies the objects in the folder ${folder}. If one of these objects already exists in the cluster, Flux takes over the existing object. If you later remove an object from the folder, Flux deletes the object`,
    };
}

/** Whether an added HelmRelease replaces a removed HelmRelease with the same name in another namespace. */
function isMoved({ kind, name, change }: ChangedObject, removed: ChangedObject): boolean {
  return kind === removed.kind && name === removed.name && change === "added";
}

/** Returns the folders outside of the bundle's overlays that an overlay includes. */
function foldersOf(overlay: ChangedObject["after"]): string[] {
  const resources = at(overlay, "resources");
  const paths = Array.isArray(resources) ? resources.map(String) : [];
  return paths.filter((path) => path.startsWith("../")).map((path) => path.replace(/^(\.\.\/)+/, ""));
}

/** @param after the workload in the new spec; undefined if the new spec does not contain the workload */
function removed(key: string, environment: string, objects: readonly ChangedObject[], after: Workload | undefined): Assessment {
  const own = objects.filter((each) => each.change === "removed" && workloadOf(each) === key);
  const kustomization = own.find(({ kind }) => kind === "Kustomization");
  const release = own.find(({ kind }) => kind === "HelmRelease");
  if ([kustomization, release].some((object) => at(object?.before, "spec", "suspend") === true))
    return {
      risk: "not-assessed",
      reason: `the workload ${key} is suspended, so its installed objects stay in the cluster. After this change, Flux no longer manages these objects: it neither updates nor deletes them`,
    };
  const elsewhere = release === undefined ? undefined : objects.find((each) => isMoved(each, release));
  if (kustomization === undefined && elsewhere !== undefined)
    return {
      risk: "data-loss",
      reason: `Flux uninstalls the workload ${key} in namespace ${release?.namespace}, and installs it in namespace ${elsewhere.namespace}. Helm deletes the objects of the old release, including its volume claims. Helm keeps only volume claims that were created by a StatefulSet. The new pods get new volumes. Flux does not wait until the new pods are ready: the workload has an outage`,
      steps: secondWorkload(key, "namespace"),
    };
  if (kustomization === undefined && release !== undefined && after !== undefined && deliversWorkload(after))
    return {
      risk: "data-loss",
      reason: `Flux applies the objects of the new source, and then uninstalls the Helm release of the workload ${key}. Helm deletes all objects of the release, also those that the new source contains. Flux creates these objects again later. The workload has an outage, and its volume claims are deleted. Helm keeps only volume claims that were created by a StatefulSet`,
      steps: secondWorkload(key, "source"),
    };
  const name = fluxName(workloadId(key));
  const commands = [
    ...(kustomization === undefined ? [] : [suspendKustomizations([kustomization.name], kustomization.namespace)]),
    ...(release === undefined ? [] : [suspend(helmReleases, [name], release.namespace, true)]),
  ];
  const successor = objects.some((each) => each.kind === "Kustomization" && each.change === "added" && workloadOf(each) !== null);
  const releaseName = release === undefined ? null : String(at(release.before, "spec", "releaseName"));
  const steps: Step[] = [
    {
      text: "Do this step only if you rename the workload, or if another tool will install the workload. To keep the pods running, suspend the Flux objects of the workload before you push. If Flux deletes a suspended Kustomization or HelmRelease, the objects that it installed stay in the cluster.",
      command: commands.join(" && "),
    },
    ...(successor
      ? [
          {
            text: `If you rename the workload, keep its namespace and its source${releaseName === null ? "" : `, and set releaseName: ${releaseName} in the source`}.`,
          },
        ]
      : []),
    ...(!successor && after !== undefined && Object.values(after.pods).some(({ inject }) => inject !== "inherited")
      ? [
          {
            text: "Add the annotation linkerd.io/inject and the proxy settings of the spec to the pod templates in the tool that now installs the workload. meshops no longer adds these settings. Without the annotation, pods can start without a proxy.",
          },
        ]
      : []),
    sharedPush,
    { text: "Wait until Flux has applied the commit.", command: `meshops status ${environment} --watch` },
    ...(release === undefined
      ? []
      : [
          {
            text: "Delete the old HelmRelease object. Do this step only if you suspended the HelmRelease before the push. Flux then does not uninstall the Helm release.",
            command: `kubectl delete ${helmReleases} ${name} --namespace ${release.namespace}`,
          },
        ]),
  ];
  const uninstalls = `Flux uninstalls the workload ${key}. Helm deletes the objects of the release, including its volume claims. Helm keeps only volume claims that were created by a StatefulSet`;
  return {
    risk: "data-loss",
    reason: release === undefined ? deletes(key) : uninstalls,
    steps,
  };
}

/**
 * Returns the steps that avoid an outage. Without these steps, Flux would delete the objects of a workload, and create
 * them again in another place.
 *
 * @param place what changes: the namespace or the source of the workload
 */
function secondWorkload(key: string, place: "namespace" | "source"): Step[] {
  return [
    { text: `If the pods of ${key} have volumes, save the data before you push.`, phase: "before" },
    {
      text: `To avoid the outage, do not push this change. In a first commit, add a second workload with another name and the new ${place}.${place === "source" ? ` The objects of the second workload must have other names than the objects of ${key}, or be in another namespace, and its pods must have other labels. Otherwise, Helm or Flux deletes the objects of the second workload when you remove ${key}.` : ""}`,
      phase: "push",
    },
    {
      text: `When the pods of the second workload are ready, change the clients so that they use the address of the second workload. Then remove ${key} in a second commit.`,
      phase: "push",
    },
  ];
}

function deletes(key: string): string {
  return `Flux deletes all objects of the workload ${key}, including its volume claims`;
}

function* ofFields(key: string, { kind, before, after, fields: all }: ChangedObject, changes: ChangeSet): Iterable<Assessment> {
  if (kind === "HelmRelease") yield* otherRelease(key, before, after);
  if (kind === "Overlay") yield* otherFolder(key, before, after);
  const fields = all.flatMap(byPatch);
  const template = fields
    .filter(({ path }) => path.includes(".template.metadata.annotations"))
    .map((field) => withMovedPatch(key, field, changes))
    .filter((field) => field.before !== field.after);
  const targets = new Set(template.map(({ path }) => targetOf(path)));
  for (const { path, before: old, after: next } of template)
    if (path.endsWith(`"${injectKey}"`))
      yield injection(
        `the pods of ${targets.size > 1 ? targetOf(path) : key}`,
        old ?? injectOf(key, changes.specs.before),
        next ?? injectOf(key, changes.specs.after),
      );
  for (const field of template)
    if (field.path.endsWith(`"${proxyPrefix}default-inbound-policy"`))
      yield* ofPolicy(`the pods of ${key}`, field, changes.specs);
  if (template.length > 0)
    yield { risk: "rollout", reason: `the pods of ${key} restart, because annotations of their pod template change` };
  const chart = fields.filter(isVersion);
  if (chart.length > 0)
    yield {
      risk: "not-assessed",
      reason: `the chart of the workload changes (${chart.map(shown).join(", ")}), and meshops cannot assess the differences between the charts`,
    };
  if (fields.some((field) => field.path.includes('"Service/') && isGeneratedPatch(field)))
    yield { risk: "harmless", reason: "the list of opaque ports of the Service changes; no pod restarts" };
}

/**
 * Adds the value of an annotation in another generated object to a change of this annotation. If the source of a
 * workload changes from a chart to a folder or back, the patch with the annotation moves to another object.
 */
function withMovedPatch(key: string, field: FieldChange, { objects }: ChangeSet): FieldChange {
  const annotation = /"([^"]+)"$/.exec(field.path)?.[1] ?? "";
  const valueIn = (side: "before" | "after", change: ChangedObject["change"]): unknown => {
    const others = objects.filter((object) => object.change === change && workloadOf(object) === key);
    return new RegExp(`"${annotation}":"([^"]+)"`).exec(JSON.stringify(others.map((object) => object[side])))?.[1];
  };
  return { ...field, before: field.before ?? valueIn("before", "removed"), after: field.after ?? valueIn("after", "added") };
}

/** Returns the field `mesh.inject` of the namespace of a workload in a spec. */
function injectOf(key: string, spec: Environment | null): unknown {
  const namespace = spec?.spec.workloads[key]?.namespace ?? "";
  return spec?.spec.namespaces[namespace]?.mesh?.inject;
}

/**
 * Assesses a HelmRelease whose release name or chart changes. helm-controller then uninstalls the old Helm release, and
 * installs a new Helm release (helm-controller, internal/action/verify.go, ReleaseTargetChanged).
 */
function* otherRelease(key: string, before: ChangedObject["before"], after: ChangedObject["after"]): Iterable<Assessment> {
  const names = [before, after].map((object) => String(at(object, "spec", "releaseName")));
  const charts = [before, after].map((object) => at(object, "spec", "chart", "spec", "chart"));
  const [old, next] = names.map(
    (name, index) => `${name}${charts[index] === undefined ? "" : ` (chart ${String(charts[index])})`}`,
  );
  if (names[0] !== names[1] || (charts.every((chart) => chart !== undefined) && charts[0] !== charts[1]))
    yield {
      risk: "data-loss",
      reason: `Flux uninstalls the Helm release ${old}, and then installs ${next}: the workload has an outage. Helm deletes the volume claims of the old release. Helm keeps only volume claims that were created by a StatefulSet. If the chart names its objects after the release, the fields workloadRef, selector and services in the spec no longer match the new objects. To check these fields, run meshops validate --render`,
      steps: secondWorkload(key, "source"),
    };
  else if ((charts[0] === undefined) !== (charts[1] === undefined))
    yield {
      risk: "not-assessed",
      reason:
        "the chart now comes from another kind of registry. If the name of the chart also changes, Flux uninstalls the Helm release and installs the new chart. If the name stays the same, Flux upgrades the Helm release",
    };
}

/**
 * Assesses the change of an overlay that includes a folder of the user before the change. After the change, the overlay
 * includes another folder or a chart, or sets another namespace. Flux then deletes the objects that the overlay no
 * longer contains.
 */
function* otherFolder(key: string, before: ChangedObject["before"], after: ChangedObject["after"]): Iterable<Assessment> {
  const [[old], [next]] = [before, after].map(foldersOf) as [string[], string[]];
  const isOfUser = (folder: string | undefined): boolean => folder !== undefined && !folder.startsWith("bases/");
  if (!isOfUser(old) || at(before, "transformers") === undefined) return;
  if (JSON.stringify(at(before, "transformers")) !== JSON.stringify(at(after, "transformers")))
    yield {
      risk: "data-loss",
      reason: `Flux creates the objects ${isOfUser(next) ? "in the new namespace" : "of the new source"}, and then deletes all old objects of the workload ${key}, including their volume claims. Flux does not wait until the new pods are ready: the workload has an outage. Data in the volumes is lost`,
      steps: secondWorkload(key, isOfUser(next) ? "namespace" : "source"),
    };
  else if (old !== next)
    yield {
      risk: "data-loss",
      reason: `Flux deletes the objects that are in the folder ${old} but not in the folder ${String(next)}, including volume claims`,
    };
}

/** Returns the kind and the name of the object that a patch changes, such as `StatefulSet redis`. */
function targetOf(path: string): string {
  return (/"([A-Za-z]+\/[^"]+)"/.exec(path)?.[1] ?? "").replace("/", " ");
}

/**
 * If a field contains all patches or one whole patch, returns one change for each value that differs in the patches.
 * Returns every other field unchanged.
 */
function byPatch(field: FieldChange): FieldChange[] {
  const { path, before, after } = field;
  if (!/^(spec\.postRenderers|patches)(\."[^"]+")?$/.test(path)) return [field];
  return valuesBelow(before, after, path);
}

/** Returns the differences between the values in two maps. Treats a missing map as an empty map. */
function valuesBelow(before: unknown, after: unknown, path: string): FieldChange[] {
  if (!isMap(before) && !isMap(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
  const [old, next] = [asMap(before), asMap(after)];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return keys.flatMap((key) => valuesBelow(old[key], next[key], join(path, key)));
}

/** Whether a field contains the version or the source of a chart. */
function isVersion({ path }: FieldChange): boolean {
  return /^(spec\.chart\.spec\.version|spec\.ref\.(tag|digest)|spec\.url)$/.test(path);
}

function shown({ before, after }: FieldChange): string {
  const text = (value: unknown): string => (value === undefined ? "none" : String(value));
  return `${text(before)} → ${text(after)}`;
}
