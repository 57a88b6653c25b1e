import { portKeys } from "../../catalog/well-known.ts";
import { asMap } from "../../system/data.ts";
import { plural } from "../../system/text.ts";
import type { Assessment, ChangedObject, ChangeRule, FieldChange } from "../change-rule.ts";

/** Assesses changes of Dgraph's HelmRelease. */
export const dgraphChanges: ChangeRule = {
  *assess(changed, all) {
    const { kind, name, change, namespace } = changed;
    if (kind !== "HelmRelease" || name !== "dgraph") return;
    if (change === "removed")
      yield {
        risk: "data-loss",
        reason: `the spec no longer contains Dgraph in namespace ${namespace}: Flux keeps the Helm release (prune: disabled), but no client is configured to use this release; move the data before you push this change`,
      };
    if (change !== "changed") return;
    yield* release(changed);
    yield* stall(changed, all);
  },
};

const versionPath = "spec.chart.spec.version";

function* release({ fields, after, namespace }: ChangedObject): Iterable<Assessment> {
  const spec = asMap(after["spec"]);
  for (const field of fields) {
    const [, role = "", key = ""] = /^spec\.values\.(alpha|zero)\.(.*)$/.exec(field.path) ?? [];
    if (field.path === "spec.releaseName")
      yield {
        risk: "data-loss",
        reason:
          "the name of the Helm release changes: the old release is uninstalled, the volumes of the old release are kept, and the new pods start with empty volumes",
      };
    else if (key.startsWith("persistence.")) yield volume(role, key);
    else if (key === "replicaCount") yield replicas(field, role);
    else if (field.path === "spec.values.global.domain" || field.path === "spec.values.global")
      yield {
        risk: "rollout",
        reason:
          "the Raft addresses of Alphas and Zeros change, and the pods of Alphas and Zeros restart: check that a majority of the members of each group stays available",
      };
    else if (/^spec\.(values\.|postRenderers\."StatefulSet\/)/.test(field.path))
      yield {
        risk: "rollout",
        reason:
          "Dgraph's pods restart, one Alpha and one Zero at a time; each pod must be ready before the next pod of its StatefulSet restarts, and queries can be delayed until the group with the queried data is available",
      };
  }
  const concerned = ["alpha", "zero"].filter((role) => fields.some(({ path }) => path === versionPath || isClaim(path, role)));
  const sets = concerned.map((role) => `${String(spec["releaseName"])}-dgraph-${role}`).join(" ");
  const fixed = fields.flatMap(({ path }) =>
    path === versionPath
      ? ["selector (which contains the chart version)"]
      : isClaim(path, "alpha") || isClaim(path, "zero")
        ? ["volume claim template"]
        : [],
  );
  if (fixed.length > 0)
    yield {
      risk: "immutable-field",
      reason:
        `Kubernetes does not allow changes to a StatefulSet's ${[...new Set(fixed)].join(" and its ")}: before you push, delete the StatefulSet but keep its pods and volumes ` +
        `(kubectl -n ${namespace} delete statefulset ${sets} --cascade=orphan)`,
    };
  yield* whitelist(fields);
}

/**
 * Reports changes after which Servers protect a port on which old pods still bypass their proxies. See the rule
 * `internal-ports-stall`.
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
      "the new Servers refuse connections from pods that have not restarted, because these pods connect without their proxies, and the rollout stalls. Make this change in three steps: " +
      "1. set dgraph.networkPolicy: false, generate, push, wait until Dgraph is ready; 2. change dgraph.internalPorts, generate, push, wait until Dgraph is ready; " +
      "3. set dgraph.networkPolicy: true, generate, push. Between steps 1 and 3, every pod in the cluster can reach Dgraph, and queries can be delayed while the pods restart (docs/access.md)",
  };
}

function isClaim(path: string, role: string): boolean {
  return path.startsWith(`spec.values.${role}.persistence.`);
}

function volume(role: string, key: string): Assessment {
  const who = role === "alpha" ? "Alpha" : "Zero";
  const what = key.endsWith("size")
    ? "resize each claim manually (kubectl patch pvc)"
    : "copy the data to claims of the new class";
  return { risk: "volume-claim", reason: `existing volume claims of ${who} do not change: ${what}` };
}

function replicas({ before, after }: FieldChange, role: string): Assessment {
  const difference = Number(after) - Number(before);
  const pods = plural(Math.abs(difference), role === "alpha" ? "Alpha" : "Zero");
  if (difference > 0) return { risk: "rollout", reason: `${pods} added` };
  return {
    risk: "data-loss",
    reason: `${pods} removed, together with the copies of the data on the removed pods: before you push, remove the members from their groups (Zero's /removeNode); the volumes are kept`,
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
      reason: `${added.join(", ")} added to Alpha's whitelist; the whitelist does not restrict meshed clients, because Alpha receives every meshed call from the address of its own pod; dgraph.clients restricts meshed clients`,
    };
  if (removed.length > 0)
    yield {
      risk: "narrower-access",
      reason: `${removed.join(", ")} removed from Alpha's whitelist; if the whitelist does not contain the address range of the pods, Alpha refuses every admin operation`,
    };
}
