import { compareVersions, type DgraphRole, findDgraphChart } from "../../catalog/dgraph.ts";
import { at, mapAt } from "../../kubernetes/object-fields.ts";
import type { Assessment, ChangedObject, ChangeRule, FieldChange } from "../change-rule.ts";
import { chartVersionOf } from "../chart-version.ts";
import { type RunningDgraph, releaseName } from "./members.ts";
import { moveData } from "./move-data.ts";
import { recreateStatefulSets } from "./procedures.ts";

const roles: readonly DgraphRole[] = ["alpha", "zero"];

/** Assesses the effects of a change of Dgraph's HelmRelease on Dgraph's volumes and StatefulSets. */
export const storageChanges: ChangeRule = {
  *assess(changed) {
    const { kind, name, change, fields } = changed;
    if (kind !== "HelmRelease" || name !== "dgraph" || change !== "changed") return;
    if (fields.some(({ path }) => path === "spec.releaseName"))
      yield {
        risk: "data-loss",
        reason:
          "the name of the Helm release changes, so Flux uninstalls the old release. The new pods start with empty volumes. The volumes of the old release are kept",
        steps: moveData(running(changed), nextRelease(changed), formatOf(versions(changed)[0])),
      };
    yield* dataFormat(changed);
    yield* volumes(changed);
    yield* immutable(changed);
  },
};

/** Whether the pods start with empty volumes after a change. */
export function startsEmpty(changed: ChangedObject): boolean {
  const [before, after] = versions(changed);
  return changed.fields.some(({ path }) => path === "spec.releaseName") || (before !== after && !keepsData(before, after));
}

/** Returns the Helm release of Dgraph that runs before the change. */
export function running({ before, namespace }: ChangedObject): RunningDgraph {
  const values = mapAt(before, "spec", "values");
  const count = (role: DgraphRole): number => Number(at(values[role], "replicaCount"));
  return { namespace, release: releaseName(before), alphas: count("alpha"), zeros: count("zero") };
}

/**
 * Assesses a change of the chart version if Dgraph of the new version might not be able to read the files on the
 * volumes.
 */
function* dataFormat(changed: ChangedObject): Iterable<Assessment> {
  const [before, after] = versions(changed);
  if (before === after || keepsData(before, after)) return;
  yield {
    risk: "data-loss",
    reason: `Dgraph of chart ${after} might not be able to read the files that Dgraph of chart ${before} wrote. Export the data, install the new version with empty volumes, and import the data (Dgraph's documentation, "Upgrade Database")`,
    steps: moveData(running(changed), nextRelease(changed), formatOf(before)),
  };
}

function nextRelease({ after, namespace }: ChangedObject): { release: string; namespace: string } {
  return { release: releaseName(after), namespace };
}

/**
 * Returns the data format of Dgraph in the given chart version; undefined if the catalog does not contain the version.
 */
export function formatOf(version: string): string | undefined {
  return findDgraphChart(version)?.dataFormat;
}

/**
 * Whether Dgraph of chart version `after` can read the files that Dgraph of chart version `before` wrote. Returns false
 * if the catalog does not contain one of the two versions, or if `after` is older than `before`.
 */
function keepsData(before: string, after: string): boolean {
  const format = formatOf(before);
  return format !== undefined && format === formatOf(after) && compareVersions(after, before) >= 0;
}

function versions({ before, after }: ChangedObject): [before: string, after: string] {
  return [chartVersionOf(before), chartVersionOf(after)];
}

/**
 * Assesses changes of the immutable fields of StatefulSets. Yields nothing if the change creates new volumes and new
 * StatefulSets.
 */
function* immutable(changed: ChangedObject): Iterable<Assessment> {
  const { fields } = changed;
  const [before, after] = versions(changed);
  // If a volume becomes smaller, Helm cannot apply any change of this HelmRelease. The function `volumes` reports this
  // case.
  if (startsEmpty(changed) || fields.some(shrinks)) return;
  const resized = roles.filter((role) => fields.some((field) => field.path.startsWith(`spec.values.${role}.persistence.`)));
  const sets = before === after ? resized : roles;
  if (sets.length === 0) return;
  const fixed = [
    ...(before === after ? [] : ["selector (which contains the chart version)"]),
    ...(resized.length === 0 ? [] : ["volume claim template"]),
  ];
  const sizes = resized.flatMap((role) => {
    const size = fields.find(({ path }) => path === `spec.values.${role}.persistence.size`)?.after;
    return size === undefined ? [] : [{ role, size: String(size) }];
  });
  yield {
    risk: "immutable-field",
    reason: `Helm cannot update the StatefulSet, because Kubernetes does not allow changes to the ${fixed.join(" or the ")} of a StatefulSet. After you have deleted the StatefulSet, Helm creates it again${before === after ? "" : otherServices}`,
    steps: recreateStatefulSets(running(changed), sets, sizes, before === after ? null : after),
  };
}

/**
 * Effect of a new chart version on the Services. The selectors of the chart's Services contain the version of the
 * chart, like the selectors of the StatefulSets (dgraph chart 24.1.4, templates).
 */
const otherServices =
  ". The selectors of the Services also contain the chart version. From the upgrade until you have run the last step, no client can connect to Dgraph, and Dgraph's pods cannot connect to each other. Announce an outage of about a minute";

/** Returns the number of bytes of a size such as `10Gi`. */
function bytes(size: string): number {
  const [, count, unit = ""] = /^(\d+)(Ki|Mi|Gi|Ti|Pi)$/.exec(size) ?? [];
  return Number(count) * 1024 ** (["Ki", "Mi", "Gi", "Ti", "Pi"].indexOf(unit) + 1);
}

/** Whether the change of the field makes volumes smaller. */
function shrinks({ path, before, after }: FieldChange): boolean {
  if (!path.endsWith(".persistence.size")) return false;
  return bytes(String(after)) < bytes(String(before));
}

/** Assesses changes of the volume claim templates. These changes do not affect existing claims. */
function* volumes(changed: ChangedObject): Iterable<Assessment> {
  if (startsEmpty(changed)) return;
  for (const field of changed.fields) {
    const { path } = field;
    const [, role, key] = /^spec\.values\.(alpha|zero)\.persistence\.(.*)$/.exec(path) ?? [];
    if (role === undefined) continue;
    const who = role === "alpha" ? "Alpha" : "Zero";
    if (shrinks(field)) {
      yield {
        risk: "volume-claim",
        reason: `Kubernetes does not allow the volumes of ${who} to become smaller, so Helm cannot apply any change of this HelmRelease`,
        steps: [
          {
            text: `Do not push this commit. Set dgraph.${role}.storage to ${String(field.before)} or more. To use smaller volumes, move the data to a new Helm release instead (dgraph.release).`,
            phase: "stop",
          },
        ],
      };
      continue;
    }
    const what =
      key === "size"
        ? "resize each claim"
        : "move the data to claims of the new storage class, for example with a new Helm release (dgraph.release). The steps below do not move the data";
    yield {
      risk: "volume-claim",
      reason: `this change does not affect the existing volume claims of ${who}. You must ${what}`,
    };
  }
}
