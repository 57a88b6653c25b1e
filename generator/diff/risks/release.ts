import { tracks } from "../../catalog/linkerd.ts";
import { asMap } from "../../system/data.ts";
import type { Changed, Judgement } from "../assessment.ts";
import type { FieldChange } from "../fields.ts";

/** Helm releases: Linkerd's charts and Dgraph's. */
export function* releaseRisks(changed: Changed, all: readonly Changed[]): Iterable<Judgement> {
  if (changed.kind !== "HelmRelease") return;
  if (changed.change === "removed") yield removal(changed);
  if (changed.change !== "changed") return;
  if (changed.name === "dgraph") {
    yield* dgraph(changed);
    yield* stall(changed, all);
  }
  if (changed.name === "linkerd-crds") yield* crds(changed);
  if (changed.name === "linkerd-control-plane") yield* controlPlane(changed);
  for (const field of changed.fields) {
    if (field.path === "spec.values.webhookFailurePolicy") yield webhookPolicy(field);
    if (field.path.startsWith("spec.values.podAnnotations"))
      yield { risk: "harmless", reason: "its pods restart; they hold no data" };
    if (field.path === versionPath && changed.name !== "dgraph" && changed.name !== "linkerd-crds")
      yield {
        risk: "rollout",
        reason: `${changed.name} goes from ${String(field.before)} to ${String(field.after)}, and its pods restart`,
      };
  }
}

const versionPath = "spec.chart.spec.version";

function removal({ name, namespace }: Changed): Judgement {
  if (name === "dgraph")
    return {
      risk: "data-loss",
      reason: `nothing states Dgraph in ${namespace} any more: Flux leaves its release alone (prune: disabled), but no client is pointed at it; move the data first`,
    };
  if (name === "linkerd-crds") return { risk: "crd-removal", reason: "without Linkerd's CRDs every policy and profile is gone" };
  if (name === "linkerd-control-plane")
    return { risk: "trust-anchor", reason: "Flux uninstalls the control plane: no certificate is renewed, no pod injected" };
  return { risk: "harmless", reason: `Flux uninstalls ${name}` };
}

/** Whatever the control plane is told restarts it; proxies are told some of it too, and take it up when their pods restart. */
function* controlPlane({ fields }: Changed): Iterable<Judgement> {
  for (const { path, after } of fields) {
    if (path === "spec.values.cniEnabled")
      yield {
        risk: "webhook-policy",
        reason:
          after === true
            ? "new meshed pods rely on the linkerd-cni plugin: where it is missing they never start"
            : "new meshed pods get an init container that needs NET_ADMIN: namespaces must allow it",
      };
    else if (path === "spec.values.clusterDomain")
      yield { risk: "rollout", reason: "proxies look Services up under another domain: all meshed pods must restart" };
    else if (path.startsWith("spec.values.") && !path.startsWith("spec.values.podAnnotations"))
      yield { risk: "rollout", reason: "the control plane restarts, one replica after the other" };
  }
}

function webhookPolicy({ after }: FieldChange): Judgement {
  return {
    risk: "webhook-policy",
    reason:
      after === "Fail"
        ? "from now on pods are refused while no injector answers"
        : "from now on pods start without a proxy while no injector answers, and policies refuse them",
  };
}

/** CRDs of a version of linkerd-crds; none where the version is not known. */
function crdsOf(version: string | undefined): readonly string[] {
  return tracks.find(({ charts }) => charts["linkerd-crds"] === version)?.crds ?? [];
}

function* dgraph({ fields, after, namespace }: Changed): Iterable<Judgement> {
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
function* stall({ fields }: Changed, all: readonly Changed[]): Iterable<Judgement> {
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

function volume(role: string, key: string): Judgement {
  const who = role === "alpha" ? "Alpha" : "Zero";
  const what = key.endsWith("size") ? "grow each claim by hand (kubectl patch pvc)" : "copy the data to claims of the new class";
  return { risk: "volume-claim", reason: `${who}'s volume claims are fixed once they are there: ${what}` };
}

function replicas({ before, after }: FieldChange, role: string): Judgement {
  const who = role === "alpha" ? "Alphas" : "Zeros";
  if (Number(after) > Number(before)) return { risk: "rollout", reason: `${Number(after) - Number(before)} more ${who} join` };
  return {
    risk: "data-loss",
    reason: `${Number(before) - Number(after)} ${who} go, and with them their copies: take them out of their groups first (Zero's /removeNode); their volumes stay`,
  };
}

function* whitelist(fields: readonly FieldChange[]): Iterable<Judgement> {
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

/** Gateway API CRDs carry helm.sh/resource-policy: keep from edge-25.3.1 on (linkerd-crds, templates), policy's own never. */
function* crds({ before, after }: Changed): Iterable<Judgement> {
  const [old, young] = [before, after].map((release) => String(asMap(asMap(asMap(release["spec"])["chart"])["spec"])["version"]));
  const lost = crdsOf(old).filter((crd) => !crdsOf(young).includes(crd));
  if (lost.length > 0)
    yield {
      risk: "crd-removal",
      reason: `chart ${young} has no ${lost.join(", ")}: Helm deletes them, and every object of theirs`,
    };
  if (old !== young) yield { risk: "rollout", reason: `CRDs go from ${old} to ${young}; objects stay as they are` };
  const installs = (release: Changed["before"]): boolean => {
    const values = asMap(asMap(release["spec"])["values"]);
    return values["installGatewayAPI"] === true || values["enableHttpRoutes"] === true;
  };
  if (!installs(before) || installs(after)) return;
  if (old?.startsWith("20"))
    yield {
      risk: "harmless",
      reason: "the Gateway API's CRDs stay (helm.sh/resource-policy: keep), and somebody else looks after them",
    };
  else
    yield {
      risk: "crd-removal",
      reason: "Helm deletes the Gateway API's CRDs, and every route with them: annotate them helm.sh/resource-policy=keep first",
    };
}
