import { asMap } from "../../system/data.ts";
import type { Assessment, ChangedObject, ChangeRule, FieldChange } from "../change-rule.ts";

/** Changes of Dgraph's HelmRelease. */
export const dgraphChanges: ChangeRule = {
  *assess(changed, all) {
    const { kind, name, change, namespace } = changed;
    if (kind !== "HelmRelease" || name !== "dgraph") return;
    if (change === "removed")
      yield {
        risk: "data-loss",
        reason: `nothing states Dgraph in ${namespace} any more: Flux leaves its release alone (prune: disabled), but no client is pointed at it; move the data first`,
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
        reason: "another release: the old one is uninstalled, its volumes stay, and the new pods start with empty ones",
      };
    else if (key.startsWith("persistence.")) yield volume(role, key);
    else if (key === "replicaCount") yield replicas(field, role);
    else if (field.path === "spec.values.global.domain" || field.path === "spec.values.global")
      yield {
        risk: "rollout",
        reason: "Alphas and Zeros get other addresses in Raft, and restart: watch that each group keeps its majority",
      };
    else if (/^spec\.(values\.|postRenderers\."StatefulSet\/)/.test(field.path))
      yield {
        risk: "rollout",
        reason:
          "Dgraph's pods restart, Alphas and Zeros at the same time; queries may wait for their groups, each pod must be back before the next",
      };
  }
  const concerned = ["alpha", "zero"].filter((role) => fields.some(({ path }) => path === versionPath || isClaim(path, role)));
  const sets = concerned.map((role) => `${String(spec["releaseName"])}-dgraph-${role}`).join(" ");
  const fixed = fields.flatMap(({ path }) =>
    path === versionPath
      ? ["selector (it holds the chart's version)"]
      : isClaim(path, "alpha") || isClaim(path, "zero")
        ? ["claim template"]
        : [],
  );
  if (fixed.length > 0)
    yield {
      risk: "immutable-field",
      reason:
        `a StatefulSet's ${[...new Set(fixed)].join(" and its ")} cannot change: before the push, delete it and leave pods and volumes ` +
        `(kubectl -n ${namespace} delete statefulset ${sets} --cascade=orphan)`,
    };
  yield* whitelist(fields);
}

/** Pods that begin to bypass their proxies on a port that Servers still guard: see the rule `internal-ports-stall`. */
function* stall({ fields }: ChangedObject, all: readonly ChangedObject[]): Iterable<Assessment> {
  const bypasses = fields.some(({ path, after }) => path.includes("skip-outbound-ports") && after !== undefined);
  const lost = (kind: string, ending: string): boolean =>
    all.some((other) => other.change === "removed" && other.kind === kind && other.name.endsWith(ending));
  if (!bypasses || !lost("Server", "-internal") || lost("NetworkPolicy", "-alpha")) return;
  yield {
    risk: "stalled-rollout",
    reason:
      "the first restarted pods connect without their proxies, the Servers that still exist refuse them, and the rollout stalls. Do it in steps: " +
      "1. dgraph.networkPolicy: false, generate, push, wait until Dgraph is ready; 2. internalPorts: skip, generate, push, wait; " +
      "3. networkPolicy: true. From step 1 to step 3 Dgraph is open to the whole cluster, and queries may wait while the pods roll (docs/access.md)",
  };
}

function isClaim(path: string, role: string): boolean {
  return path.startsWith(`spec.values.${role}.persistence.`);
}

function volume(role: string, key: string): Assessment {
  const who = role === "alpha" ? "Alpha" : "Zero";
  const what = key.endsWith("size") ? "grow each claim by hand (kubectl patch pvc)" : "copy the data to claims of the new class";
  return { risk: "volume-claim", reason: `${who}'s volume claims are fixed once they are there: ${what}` };
}

function replicas({ before, after }: FieldChange, role: string): Assessment {
  const who = role === "alpha" ? "Alphas" : "Zeros";
  if (Number(after) > Number(before)) return { risk: "rollout", reason: `${Number(after) - Number(before)} more ${who} join` };
  return {
    risk: "data-loss",
    reason: `${Number(before) - Number(after)} ${who} go, and with them their copies: take them out of their groups first (Zero's /removeNode); their volumes stay`,
  };
}

function* whitelist(fields: readonly FieldChange[]): Iterable<Assessment> {
  const flags = fields.find(({ path }) => path === "spec.values.alpha.extraFlags");
  if (flags === undefined) return;
  const [old, young] = [flags.before, flags.after].map(
    (text) => /whitelist=([^; ]*)/.exec(String(text ?? ""))?.[1]?.split(",") ?? [],
  );
  const added = (young ?? []).filter((range) => !old?.includes(range));
  const gone = (old ?? []).filter((range) => !young?.includes(range));
  if (added.length > 0)
    yield {
      risk: "wider-access",
      reason: `${added.join(", ")} joins Alpha's whitelist; Alpha sees its own pod's address for every meshed call, so clients decide who may call`,
    };
  if (gone.length > 0)
    yield {
      risk: "narrower-access",
      reason: `${gone.join(", ")} leaves Alpha's whitelist; without the range of its pods Alpha refuses every admin operation`,
    };
}
