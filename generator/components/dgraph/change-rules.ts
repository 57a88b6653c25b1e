import type { DgraphRole } from "../../catalog/dgraph.ts";
import { portKeys } from "../../catalog/well-known.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { plural } from "../../system/text.ts";
import { isAssessed, isGeneratedPatch } from "../assessed.ts";
import type { Assessment, ChangedObject, ChangeRule, FieldChange } from "../change-rule.ts";
import { chartVersionOf } from "../chart-version.ts";
import { assessedPaths } from "./assessed.ts";
import { releaseName } from "./members.ts";
import { moveData } from "./move-data.ts";
import { removeMembers, uninstall } from "./procedures.ts";
import { formatOf, running, startsEmpty } from "./storage-changes.ts";

const roles: readonly DgraphRole[] = ["alpha", "zero"];

/** Assesses changes of Dgraph's HelmRelease. */
export const dgraphChanges: ChangeRule = {
  *assess(changed, { objects }) {
    const { kind, name, change, namespace } = changed;
    if (kind !== "HelmRelease" || name !== "dgraph") return;
    const moved = change === "removed" ? objects.find((other) => isAdded(other) && other.namespace !== namespace) : undefined;
    if (moved !== undefined) {
      yield movedTo(changed, moved);
      return;
    }
    if (change === "removed")
      yield {
        risk: "data-loss",
        reason: `the spec no longer contains Dgraph in namespace ${namespace}. If you push this change, Flux removes the policies of Dgraph, but keeps the Helm release (prune: disabled). Every pod in the cluster can then connect to Dgraph`,
        steps: uninstall(changed, kustomizationOf(objects)),
      };
    if (change !== "changed") return;
    yield* release(changed);
    yield* stall(changed, objects);
  },
};

/**
 * Returns the Kustomization that applied Dgraph before the change. Finds the Kustomization by the field `spec.path`,
 * because the name of the Kustomization can have a prefix.
 */
function kustomizationOf(objects: readonly ChangedObject[]): Pick<ChangedObject, "name" | "namespace"> {
  const own = objects.find(
    ({ kind, before }) => kind === "Kustomization" && String(at(before, "spec", "path")).endsWith("/dgraph"),
  );
  return own ?? { name: "dgraph", namespace: "flux-system" };
}

function isAdded({ kind, name, change }: ChangedObject): boolean {
  return kind === "HelmRelease" && name === "dgraph" && change === "added";
}

/** Assesses a change of Dgraph's namespace: Flux creates a new HelmRelease, and does not change the old HelmRelease. */
function movedTo(changed: ChangedObject, { namespace, after }: ChangedObject): Assessment {
  return {
    risk: "data-loss",
    reason: `Dgraph moves to namespace ${namespace}, where it starts with empty volumes. If you push this change, the old Dgraph in namespace ${changed.namespace} keeps running (prune: disabled), but Flux removes its policies. Every pod in the cluster can then connect to the old Dgraph`,
    steps: moveData(running(changed), { release: releaseName(after), namespace }, formatOf(chartVersionOf(changed.before))),
  };
}

/**
 * Whether a change of a field restarts Dgraph's pods. This is the case if the field is a chart value that meshops
 * generates, or a part of a patch that meshops generates for a StatefulSet.
 */
function restartsPods(field: FieldChange): boolean {
  return isAssessed(field, assessedPaths) || (field.path.includes('."StatefulSet/') && isGeneratedPatch(field));
}

function* release(changed: ChangedObject): Iterable<Assessment> {
  const { fields } = changed;
  // If new pods start with empty volumes, the assessment in `storageChanges` already describes the effects.
  if (startsEmpty(changed)) return;
  for (const field of fields) {
    const [, , key = ""] = /^spec\.values\.(alpha|zero)\.(.*)$/.exec(field.path) ?? [];
    if (key === "replicaCount") continue;
    if (key === "shardReplicaCount")
      yield {
        risk: "rollout",
        reason: `the Zeros restart one by one. Existing Alphas stay in their groups. Alphas that you add later fill each group up to ${String(field.after)} members`,
      };
    else if (field.path === "spec.values.global.domain" || field.path === "spec.values.global")
      yield {
        risk: "rollout",
        reason: "the Raft addresses of all Alphas and Zeros change, so all Alphas and Zeros restart",
        // Dgraph stores the addresses of its members. Since v25.3.4, a member also updates its stored address
        // (dgraph-io/dgraph#9680).
        prerequisites: [
          {
            text: "Before you push, check that the DNS of the cluster also resolves the names in the old cluster domain. Up to Dgraph v25.3.3, Zeros connect to the stored addresses of the other Zeros after a restart, and these addresses contain the old cluster domain. If you cannot keep the old names, move the data to a new Helm release (dgraph.release).",
            phase: "before",
          },
        ],
      };
    else if (!key.startsWith("persistence.") && restartsPods(field))
      yield {
        risk: "rollout",
        reason:
          "Dgraph's pods restart, one Alpha and one Zero at a time. Each pod must be ready before the next pod of its StatefulSet restarts. Queries can be delayed until the group with the queried data is available",
      };
  }
  yield* replicas(changed);
  yield* whitelist(fields);
}

/**
 * Reports a change that stalls the rollout. Such a change adds Servers for the internal ports. Pods with the old
 * settings still connect to these ports without their proxies, so the new Servers refuse these connections. See the
 * rule `internal-ports-stall`.
 */
function* stall({ fields }: ChangedObject, all: readonly ChangedObject[]): Iterable<Assessment> {
  const bypassed = fields.some(
    ({ path, before, after }) => path.includes(portKeys.skipOutbound) && before !== undefined && after === undefined,
  );
  const protectedNow = all.some(
    ({ change, kind, name }) => change === "added" && kind === "Server" && name.endsWith("-internal"),
  );
  if (!bypassed || !protectedNow) return;
  yield {
    risk: "stalled-rollout",
    reason:
      "the rollout stalls, because the new Servers of Dgraph's internal ports refuse connections from pods that have not restarted. These pods connect to the internal ports without their proxies. Queries can be delayed while the pods restart (see meshops help access)",
    steps: [
      {
        text: "Set dgraph.networkPolicy: false. Set dgraph.internalPorts back to its old value in this first commit. Generate, push, and wait until Dgraph is ready. Until networkPolicy is true again, every pod in the cluster can reach Dgraph.",
        phase: "push",
      },
      { text: "Change dgraph.internalPorts, generate, push, and wait until Dgraph is ready.", phase: "push" },
      { text: "Set dgraph.networkPolicy: true, generate, and push.", phase: "push" },
    ],
  };
}

/** Assesses added and removed pods. If a change removes both Alphas and Zeros, yields one procedure for both roles. */
function* replicas(changed: ChangedObject): Iterable<Assessment> {
  const counts = roles.flatMap((role) => {
    const field = changed.fields.find(({ path }) => path === `spec.values.${role}.replicaCount`);
    return field === undefined
      ? []
      : [{ role, remaining: Number(field.after), added: Number(field.after) - Number(field.before) }];
  });
  const [added, removed] = [counts.filter((count) => count.added > 0), counts.filter((count) => count.added < 0)];
  const pods = (of: typeof counts): string =>
    of.map((count) => plural(Math.abs(count.added), count.role === "alpha" ? "Alpha" : "Zero")).join(" and ");
  // The chart passes the addresses of all Zeros to each Alpha (dgraph chart, templates/alpha/statefulset.yaml).
  const restarts = (of: typeof counts): string =>
    of.some(({ role }) => role === "zero") ? "; the Alphas restart one by one" : "";
  if (added.length > 0) yield { risk: "rollout", reason: `this change adds ${pods(added)}${restarts(added)}` };
  if (removed.length > 0)
    yield {
      risk: "data-loss",
      reason: `this change removes ${pods(removed)}, including the data on the volumes of the removed pods${restarts(removed)}`,
      steps: removeMembers(running(changed), removed),
    };
}

function* whitelist(fields: readonly FieldChange[]): Iterable<Assessment> {
  const flags = fields.find(({ path }) => path === "spec.values.alpha.extraFlags");
  if (flags === undefined) return;
  const [before, after] = [flags.before, flags.after].map(
    (text) => /whitelist=([^; ]*)/.exec(String(text ?? ""))?.[1]?.split(",") ?? [],
  );
  const added = (after ?? []).filter((range) => !before?.includes(range));
  const removed = (before ?? []).filter((range) => !after?.includes(range));
  if (added.length > 0)
    yield {
      risk: "wider-access",
      reason: `this change adds ${added.join(", ")} to Alpha's whitelist. The whitelist does not restrict meshed clients, because every meshed call has the address of Alpha's own pod as its source address. To restrict meshed clients, use dgraph.clients`,
    };
  if (removed.length > 0)
    yield {
      risk: "narrower-access",
      reason: `this change removes ${removed.join(", ")} from Alpha's whitelist. If the whitelist does not contain the address range of the pods, Alpha refuses the admin operations of all meshed clients`,
    };
}
