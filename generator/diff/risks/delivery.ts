import { injectKey } from "../../catalog/well-known.ts";
import { isGeneratedPatch } from "../../components/assessed.ts";
import type { Assessment, ChangedObject, ChangeSet, FieldChange, Step } from "../../components/change-rule.ts";
import { suspend, suspendKustomizations } from "../../components/flux-commands.ts";
import { fluxName, workloadId } from "../../components/names.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { injection } from "./access.ts";
import { overlayOf } from "./placement.ts";

/** Risks of changes to workloads of the user that meshops delivers. Their charts and folders are not known. */
export function* deliveryRisks(changed: ChangedObject, { environment, objects }: ChangeSet): Iterable<Assessment> {
  const key = workloadOf(changed);
  if (key === null) return;
  const { kind, change } = changed;
  if (change === "added" && kind !== "Kustomization") yield* added(changed);
  if (change === "removed" && (kind === "Kustomization" || kind === "HelmRelease")) yield removed(key, environment, objects);
  if (change === "changed") yield* ofFields(key, changed);
}

/** Key of the workload to which an object belongs; null if it belongs to no workload. */
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
      reason: `Flux installs ${String(chart)} as the Helm release ${release} in namespace ${namespace}. If this release exists, Flux upgrades it, and deletes its objects that the chart does not render`,
    };
  }
  const [folder] = foldersOf(after);
  if (kind === "Overlay" && folder !== undefined)
    yield {
      risk: "not-assessed",
      reason: `Flux applies the objects in ${folder}. It takes over objects that exist, and deletes them if they are removed from the folder`,
    };
}

/** Folders of the user that an overlay includes. */
function foldersOf(overlay: ChangedObject["after"]): string[] {
  const resources = at(overlay, "resources");
  const paths = Array.isArray(resources) ? resources.map(String) : [];
  return paths.filter((path) => path.startsWith("../")).map((path) => path.replace(/^(\.\.\/)+/, ""));
}

function removed(key: string, environment: string, objects: readonly ChangedObject[]): Assessment {
  const own = objects.filter((each) => each.change === "removed" && workloadOf(each) === key);
  const kustomization = own.find(({ kind }) => kind === "Kustomization");
  const release = own.find(({ kind }) => kind === "HelmRelease");
  const name = fluxName(workloadId(key));
  const commands = [
    ...(kustomization === undefined ? [] : [suspendKustomizations([kustomization.name], kustomization.namespace)]),
    ...(release === undefined ? [] : [suspend(helmRelease, [name], release.namespace, true)]),
  ];
  const forNewName =
    release === undefined ? "" : `, with releaseName: ${String(at(release.before, "spec", "releaseName"))} in its source`;
  const keep: Step[] = [
    {
      text: "Only if the pods must keep running, because you rename the workload or another tool delivers it: before you push, suspend the old objects. Flux deletes nothing if a suspended object is deleted.",
      command: commands.join(" && "),
    },
    { text: `If you rename the workload, keep its namespace and its source${forNewName}.` },
    { text: "Push, and wait until Flux has applied the new revision.", command: `meshops status ${environment} --watch` },
    ...(release === undefined
      ? []
      : [
          {
            text: "Delete the old, suspended HelmRelease. The Helm release stays.",
            command: `kubectl delete ${helmRelease} ${name} --namespace ${release.namespace}`,
          },
        ]),
  ];
  return {
    risk: "data-loss",
    reason:
      release === undefined
        ? `Flux deletes all objects of the workload ${key}, also its volume claims`
        : `Flux uninstalls the workload ${key}. Helm deletes the objects of the release, also its volume claims, but not those that a StatefulSet created`,
    steps: keep,
  };
}

const helmRelease = "helmrelease.helm.toolkit.fluxcd.io";

function* ofFields(key: string, { fields }: ChangedObject): Iterable<Assessment> {
  const template = fields.filter(({ path }) => path.includes(".template.metadata.annotations"));
  for (const { path, before, after } of template)
    if (path.endsWith(`"${injectKey}"`)) yield injection(`the pods of ${key}`, before, after);
  if (template.length > 0)
    yield { risk: "rollout", reason: `pods of ${key} restart, because annotations of their template change` };
  const chart = fields.filter(isSource);
  if (chart.length > 0)
    yield {
      risk: "not-assessed",
      reason: `meshops does not know what the other chart or folder changes: ${chart.map(shown).join(", ")}`,
    };
  if (fields.some(isPatchOfService))
    yield { risk: "harmless", reason: "clients treat the ports of the Service as opaque, or no longer do; no pod restarts" };
}

/** Whether a field names the chart, its version, or the folder. */
function isSource({ path, before, after }: FieldChange): boolean {
  if (path === "resources[]") return [before, after].some((value) => typeof value === "string" && value.startsWith("../"));
  return /^(spec\.chart\.spec\.(chart|version)|spec\.ref\.(tag|digest)|spec\.url)$/.test(path);
}

function shown({ before, after }: FieldChange): string {
  const text = (value: unknown): string => (value === undefined ? "none" : String(value).replace(/^(\.\.\/)+/, ""));
  return `${text(before)} → ${text(after)}`;
}

function isPatchOfService(field: FieldChange): boolean {
  return field.path.includes('"Service/') && isGeneratedPatch(field);
}
