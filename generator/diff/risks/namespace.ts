import { admissionWebhooksLabel, injectKey, proxyPrefix } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject, ChangeSet, FieldChange, Step } from "../../components/change-rule.ts";
import { admitsMore } from "../../mesh/installation.ts";
import { requestsProxy } from "../../mesh/meshed.ts";
import { restartCommand } from "../../mesh/restart.ts";

/**
 * Risks of a removed namespace, and of changed labels and mesh settings of a namespace. The mesh settings affect a pod
 * only when the pod is created.
 */
export function* namespaceRisks(
  { kind, name, change, fields }: ChangedObject,
  { specs }: Pick<ChangeSet, "specs">,
): Iterable<Assessment> {
  if (kind !== "Namespace") return;
  if (change === "removed")
    yield { risk: "harmless", reason: `the namespace ${name} stays in the cluster until you delete it (prune: disabled)` };
  if (change !== "changed") return;
  for (const field of fields) {
    const { path, before, after } = field;
    const isKey = (key: string): boolean => path.endsWith(`"${key}"`);
    if (isKey("pod-security.kubernetes.io/enforce")) yield* podSecurity(name, String(before), String(after));
    else if (isKey(injectKey)) yield afterRestart(name, injection(`new pods in namespace ${name}`, before, after));
    else if (isKey(admissionWebhooksLabel))
      yield {
        risk: "webhook-policy",
        reason: `Linkerd's webhooks ${after === "disabled" ? "skip" : "apply to"} the namespace ${name}`,
      };
    else if (isKey(`${proxyPrefix}default-inbound-policy`))
      yield* ofPolicy(`pods in namespace ${name}`, field, specs, [restart(name)]);
    else if (path.includes(proxyPrefix))
      yield {
        risk: "rollout",
        reason: `pods in namespace ${name} use the new proxy settings after their next restart`,
        steps: [restart(name)],
      };
  }
}

function afterRestart(namespace: string, assessment: Assessment): Assessment {
  return {
    ...assessment,
    reason: `${assessment.reason}. Running pods do not change until they restart`,
    steps: [restart(namespace)],
  };
}

/**
 * Returns the step in which the user restarts the pods of a namespace. Pods do not restart automatically when an
 * annotation of their namespace changes.
 */
function restart(namespace: string): Step {
  return {
    text: `Neither Flux nor helmfile restarts the pods in namespace ${namespace}. Restart these pods after Flux or helmfile has applied the change.`,
    command: restartCommand("deployment,statefulset,daemonset", namespace),
  };
}

/**
 * Assesses a change of the annotation with the default inbound policy. Without the annotation, the default of the
 * cluster applies. A running pod keeps its annotation until it restarts. A changed default of the cluster also applies
 * to running pods without the annotation (linkerd2, policy-controller, inbound/index.rs).
 *
 * @param who the pods, as the subject of a sentence
 * @param steps steps in which the user restarts the pods; empty if the pods restart automatically
 */
export function* ofPolicy(
  who: string,
  { before, after }: FieldChange,
  specs: ChangeSet["specs"],
  steps: readonly Step[] = [],
): Iterable<Assessment> {
  const [oldDefault, newDefault] = [specs.before, specs.after].map((each) => each?.spec.linkerd.defaultInboundPolicy);
  const [old, next] = [before ?? oldDefault, after ?? newDefault];
  const untilRestart = before ?? newDefault;
  if (admitsMore(untilRestart, old) && admitsMore(untilRestart, next))
    yield {
      risk: "wider-access",
      reason: `until they restart, ${who} use the new default inbound policy of the cluster, ${String(untilRestart)}. It admits more clients to ports that no Server selects than ${String(next)}, which applies after the restart`,
      steps,
    };
  if (admitsMore(next, old))
    yield {
      risk: "wider-access",
      reason: `after their next restart, ${who} admit more clients to ports that no Server selects`,
      steps,
    };
  else if (admitsMore(old, next))
    yield {
      risk: "narrower-access",
      reason: `after their next restart, ${who} refuse some of the clients that they admit now. Only ports that no Server selects are affected`,
      steps,
    };
  else yield { risk: "harmless", reason: `the default inbound policy of ${who} stays ${String(next)}` };
}

/**
 * Levels of Pod Security, from the least strict level to the strictest level. A namespace without the label has the
 * cluster's default level, which is usually `privileged`.
 */
const levels = ["privileged", "baseline", "restricted"];

function* podSecurity(name: string, before: string, after: string): Iterable<Assessment> {
  const [previous, next] = [before, after].map((level) => Math.max(0, levels.indexOf(level)));
  if (previous === undefined || next === undefined || previous === next) return;
  yield next < previous
    ? {
        risk: "wider-access",
        reason: `new pods in namespace ${name} can use settings that the previous Pod Security level (${before}) forbids`,
      }
    : {
        risk: "narrower-access",
        reason: `new pods in namespace ${name} must meet the requirements of the Pod Security level ${after}. Running pods must meet these requirements only when they restart`,
      };
}

/** Assesses a change after which pods get a proxy or no longer get a proxy. */
export function injection(who: string, before: unknown, after: unknown): Assessment {
  if (requestsProxy(before) && requestsProxy(after))
    return {
      risk: "rollout",
      reason: `the value of linkerd.io/inject that applies to ${who} changes from ${String(before)} to ${String(after)}, or moves between the namespace and the pod template. The pods have a proxy and a mesh identity before and after the change`,
    };
  return requestsProxy(after)
    ? { risk: "rollout", reason: `${who} get a proxy and a mesh identity` }
    : {
        risk: "narrower-access",
        reason: `${who} have no proxy and no mesh identity. Servers that require an identity refuse these pods`,
      };
}
