import { admissionWebhooksLabel, injectKey } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject, FieldChange } from "../../components/change-rule.ts";
import { asMap } from "../../system/data.ts";

/** What an object of a kind does to those who want in, by being there. */
const effect: ReadonlyMap<string, "opens" | "closes"> = new Map([
  ["NetworkPolicy", "closes"],
  ["Server", "closes"],
  ["AuthorizationPolicy", "opens"],
  ["MeshTLSAuthentication", "opens"],
]);

/** Lists in which an entry more lets somebody in, or asks something more. */
const lists: readonly { readonly path: RegExp; readonly entry: "opens" | "closes" }[] = [
  { path: /^spec\.ingress\[\]/, entry: "opens" },
  { path: /^spec\.(identities|identityRefs)\[\]/, entry: "opens" },
  { path: /^spec\.requiredAuthenticationRefs\[\]/, entry: "closes" },
];

/** Who may reach what: NetworkPolicies, Linkerd's policy, and namespaces. */
export function* accessRisks(changed: ChangedObject, all: readonly ChangedObject[]): Iterable<Assessment> {
  const { kind, change, fields } = changed;
  if (kind === "Namespace") yield* namespace(changed);
  const does = effect.get(kind);
  if (does === undefined) return;
  if (does === "opens" && change !== "changed" && serverOf(changed, all)?.change === change) {
    yield { risk: "harmless", reason: `it ${change === "added" ? "comes" : "goes"} with its Server` };
    return;
  }
  if (change === "changed") for (const field of fields) yield* byField(field);
  else yield byPresence(does, change);
}

/** The Server that an authorization hangs on, itself or by the policy that asks for it, where that changes too. */
function serverOf(changed: ChangedObject, all: readonly ChangedObject[]): ChangedObject | undefined {
  if (changed.kind === "Server") return changed;
  const { targetRef } = asMap(stateOf(changed)["spec"]);
  const named = (kind: string, name: unknown): ChangedObject | undefined =>
    all.find((other) => other.kind === kind && other.name === name);
  if (targetRef !== undefined) return named("Server", asMap(targetRef)["name"]);
  const policy = all.find((other) => other.kind === "AuthorizationPolicy" && asksFor(other, changed.name));
  return policy === undefined ? undefined : serverOf(policy, all);
}

function asksFor(policy: ChangedObject, authentication: string): boolean {
  const { requiredAuthenticationRefs } = asMap(stateOf(policy)["spec"]);
  return (
    Array.isArray(requiredAuthenticationRefs) &&
    requiredAuthenticationRefs.some((entry) => asMap(entry)["name"] === authentication)
  );
}

function stateOf({ change, before, after }: ChangedObject): ChangedObject["before"] {
  return change === "removed" ? before : after;
}

function byPresence(does: "opens" | "closes", change: "added" | "removed"): Assessment {
  if (does === "closes")
    return change === "added"
      ? { risk: "narrower-access", reason: "it keeps out whom nothing lets in" }
      : { risk: "wider-access", reason: "it keeps nobody out any more" };
  return change === "added"
    ? { risk: "wider-access", reason: "it lets somebody in" }
    : { risk: "narrower-access", reason: "whom it let in is kept out" };
}

function* byField({ path, before, after }: FieldChange): Iterable<Assessment> {
  const list = lists.find((entry) => entry.path.test(path));
  if (list === undefined) {
    if (/^spec\.(podSelector|targetRef|port|accessPolicy|policyTypes)/.test(path))
      yield { risk: "wider-access", reason: "it guards something else than before" };
  } else if (before !== undefined && after !== undefined)
    yield { risk: "wider-access", reason: `${peers(before)} goes, ${peers(after)} comes` };
  else if (list.entry === "opens")
    yield before === undefined
      ? { risk: "wider-access", reason: `${peers(after)} gets in` }
      : { risk: "narrower-access", reason: `${peers(before)} is kept out` };
  else
    yield before === undefined
      ? { risk: "narrower-access", reason: `${peers(after)} is asked for too` }
      : { risk: "wider-access", reason: `${peers(before)} is asked for no longer` };
}

/** A peer in a few words: a service account, a namespace, ports, or the value itself. */
function peers(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  const names = [...text.matchAll(/"(?:kubernetes\.io\/metadata\.name|namespace|name)":"([^"]+)"/g)].map(([, found]) => found);
  const ports = [...text.matchAll(/"port":(\d+)/g)].map(([, port]) => port);
  const who = [...new Set(names)].join("/");
  const where = ports.length === 0 ? "" : ` on ${ports.join(", ")}`;
  return who === "" && where === "" ? text : `${who === "" ? "whoever asks" : who}${where}`;
}

function* namespace({ name, change, fields }: ChangedObject): Iterable<Assessment> {
  if (change === "removed")
    yield { risk: "harmless", reason: `the namespace ${name} stays in the cluster until somebody deletes it (prune: disabled)` };
  for (const { path, before, after } of change === "changed" ? fields : []) {
    if (path.endsWith('"pod-security.kubernetes.io/enforce"')) yield* podSecurity(name, String(before), String(after));
    else if (path.endsWith(`"${injectKey}"`)) yield injection(`new pods of ${name}`, after === "enabled");
    else if (path.endsWith(`"${admissionWebhooksLabel}"`))
      yield { risk: "webhook-policy", reason: `Linkerd's webhooks ${after === "disabled" ? "pass over" : "look at"} ${name}` };
  }
}

/** Levels of Pod Security, the strictest last; a namespace without the label allows what the cluster's default does, mostly everything. */
const levels = ["privileged", "baseline", "restricted"];

function* podSecurity(name: string, before: string, after: string): Iterable<Assessment> {
  const [old, young] = [before, after].map((level) => Math.max(0, levels.indexOf(level)));
  if (old === undefined || young === undefined || old === young) return;
  yield young < old
    ? { risk: "wider-access", reason: `pods of ${name} may ask for what the level ${before} forbids` }
    : { risk: "narrower-access", reason: `pods of ${name} are held to the level ${after} from their next start on` };
}

/** What it means to get or lose a proxy. */
export function injection(who: string, meshed: boolean): Assessment {
  return meshed
    ? { risk: "rollout", reason: `${who} get a proxy, and with it an identity` }
    : { risk: "narrower-access", reason: `${who} have no proxy, so no identity: whoever asks for one refuses them` };
}
