import { linkerdRelease } from "../../catalog/linkerd.ts";
import { meshedLabel } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject, ChangeSet, FieldChange, Step } from "../../components/change-rule.ts";
import { suspendKustomizations } from "../../components/flux-commands.ts";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import { defaultPolicyIn } from "../../mesh/installation.ts";
import { isWithin } from "../../mesh/networks.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { asMap } from "../../system/data.ts";

/** Effect of an object, by kind. `opens`: the object allows clients. `closes`: the object denies clients. */
const effect: ReadonlyMap<string, "opens" | "closes"> = new Map([
  ["NetworkPolicy", "closes"],
  ["Server", "closes"],
  ["AuthorizationPolicy", "opens"],
  ["MeshTLSAuthentication", "opens"],
  ["NetworkAuthentication", "opens"],
]);

/** Lists in policies. `opens`: each additional entry allows more clients. `closes`: clients must meet each entry. */
const lists: readonly { readonly path: RegExp; readonly entry: "opens" | "closes" }[] = [
  { path: /^spec\.ingress\[\]/, entry: "opens" },
  { path: /^spec\.requiredAuthenticationRefs\[\]/, entry: "closes" },
];

/** Risks of changes to NetworkPolicies and Linkerd's policy resources. */
export function* accessRisks(changed: ChangedObject, changes: ChangeSet): Iterable<Assessment> {
  const { objects: all } = changes;
  const { kind, change, fields } = changed;
  const does = effect.get(kind);
  if (does === undefined) return;
  if (change !== "changed" && /^proxy-metrics(-probes)?$/.test(changed.name)) {
    yield {
      risk: "harmless",
      reason:
        change === "added"
          ? "Prometheus can read the metrics of the proxies in this namespace, regardless of the default inbound policy. The proxies refuse requests for other paths of their admin port"
          : "the default inbound policy applies again to the admin port of the proxies in this namespace",
    };
    return;
  }
  if (does === "opens" && change !== "changed" && serverOf(changed, all)?.change === change) {
    yield { risk: "harmless", reason: `this object is ${change} together with its Server` };
    return;
  }
  if (does === "closes" && change !== "changed" && isRenamed(changed, all)) {
    yield change === "added"
      ? { risk: "harmless", reason: "this object replaces an object with another name" }
      : renamedPolicies(changes, kind);
    return;
  }
  if (kind === "Server" && change !== "changed" && at(stateOf(changed), "spec", "accessPolicy") === "audit") {
    yield change === "added"
      ? {
          risk: "harmless",
          reason:
            "Linkerd admits all clients at this port, and counts the requests of clients that are not listed. Clients gain access if they are currently refused by the default inbound policy of the pods",
        }
      : unaudited(changed, changes);
    return;
  }
  if (does === "closes" && change !== "changed" && isMoved(changed, all)) {
    yield change === "added"
      ? { risk: "harmless", reason: "this object replaces an object with another name or namespace" }
      : {
          risk: "wider-access",
          reason:
            "an object with another name or namespace replaces this object. The new object does not protect the old pods: all clients can connect to the old pods until these pods stop",
        };
    return;
  }
  if (change === "changed") {
    if (does === "opens") yield* clientChanges(changed);
    const isAudited = kind === "Server" && at(changed.after, "spec", "accessPolicy") === "audit";
    const opened = opensToAll(changed);
    if (opened) yield { risk: "wider-access", reason: "all clients gain access to ports of these pods" };
    const [rules, others] = opened ? [[], fields.filter(({ path }) => path !== "spec.ingress[]")] : ingressChanges(fields);
    for (const { client, gained, lost } of rules) {
      if (gained.length > 0) yield { risk: "wider-access", reason: `${client} gains access to ${gained.join(", ")}` };
      if (lost.length > 0) yield { risk: "narrower-access", reason: `${client} loses access to ${lost.join(", ")}` };
    }
    for (const field of others)
      if (isAudited && field.path === "spec.port")
        yield {
          risk: "wider-access",
          reason: `Linkerd now admits all clients at port ${String(field.after)} instead of port ${String(field.before)}, and counts the requests of clients that are not listed`,
        };
      else yield* byField(field, changes.environment);
  } else yield byPresence(does, change);
}

/** Assesses that a Server with the access policy `audit`, which admits all clients, is removed. */
function unaudited({ namespace }: ChangedObject, { specs }: ChangeSet): Assessment {
  const { after } = specs;
  const policy = after === null ? null : defaultPolicyIn(namespace, after);
  return policy === "all-unauthenticated" || policy === "audit"
    ? {
        risk: "harmless",
        reason: `the default inbound policy ${policy} applies again to this port. It also admits all clients, but Linkerd no longer counts their requests`,
      }
    : {
        risk: "narrower-access",
        reason:
          "the default inbound policy of the pods applies again to this port. Clients that this policy does not admit lose access",
      };
}

/**
 * Returns the Server of a changed object; undefined if the Server does not change. The Server of an AuthorizationPolicy
 * is its target. The Server of an authentication is the target of the AuthorizationPolicy that requires the
 * authentication.
 */
function serverOf(changed: ChangedObject, all: readonly ChangedObject[]): ChangedObject | undefined {
  if (changed.kind === "Server") return changed;
  const { targetRef } = asMap(stateOf(changed)["spec"]);
  const named = (kind: string, name: unknown): ChangedObject | undefined =>
    all.find((other) => other.kind === kind && other.name === name && other.namespace === changed.namespace);
  if (targetRef !== undefined) return named("Server", asMap(targetRef)["name"]);
  const policy = all.find(
    (other) => other.kind === "AuthorizationPolicy" && other.namespace === changed.namespace && requires(other, changed.name),
  );
  return policy === undefined ? undefined : serverOf(policy, all);
}

/** Returns short texts for the identities and networks that an authentication admits. */
function admittedBy(authentication: ChangedObject["before"]): Set<string> {
  const own = asMap(authentication["metadata"])["namespace"];
  const { identities, identityRefs, networks } = asMap(authentication["spec"]);
  const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
  return new Set([
    ...list(identities).map((each) => (each === "*" ? everyMeshed : String(each))),
    ...list(identityRefs).map((each) => {
      const { kind, name, namespace } = asMap(each);
      return kind === "Namespace" ? `all meshed pods of ${name}` : `${namespace ?? own}/${name}`;
    }),
    ...list(networks).map((each) => String(asMap(each)["cidr"])),
  ]);
}

const everyMeshed = "all meshed pods";

function gains(client: string): Assessment {
  return { risk: "wider-access", reason: `${client} ${client.startsWith("all ") ? "gain" : "gains"} access` };
}

function loses(client: string): Assessment {
  return { risk: "narrower-access", reason: `${client} ${client.startsWith("all ") ? "lose" : "loses"} access` };
}

/** Yields the clients that gain or lose access because an authentication changes. */
function* clientChanges({ before, after }: ChangedObject): Iterable<Assessment> {
  const [old, current] = [admittedBy(before), admittedBy(after)];
  const without = (clients: Set<string>, others: Set<string>): string[] =>
    others.has(everyMeshed) ? [] : [...clients].filter((client) => ![...others].some((other) => isWithin(client, other)));
  const [gained, lost] = [without(current, old), without(old, current)];
  for (const client of gained) yield gains(client);
  for (const client of lost) yield loses(client);
}

/**
 * Whether an object is only renamed: the change also removes or adds an object of the same kind with another name for
 * the same pods. For a Server, the port must also be the same.
 */
function isRenamed(changed: ChangedObject, all: readonly ChangedObject[]): boolean {
  const scope = (state: ChangedObject["before"]): string =>
    JSON.stringify([at(state, "spec", "podSelector"), at(state, "spec", "port")]);
  const opposite = changed.change === "added" ? "removed" : "added";
  return all.some(
    (other) =>
      other.kind === changed.kind &&
      other.change === opposite &&
      other.namespace === changed.namespace &&
      other.name !== changed.name &&
      scope(stateOf(other)) === scope(stateOf(changed)),
  );
}

/**
 * Assesses policies whose names change because the name of their workload changes. Flux deletes the old Kustomization
 * and applies the new Kustomization in no fixed order.
 */
function renamedPolicies({ environment, objects, specs }: ChangeSet, kind: string): Assessment {
  const old = objects.filter(
    ({ kind, change, before }) =>
      kind === "Kustomization" && change === "removed" && /\/policies\/[^/]+$/.test(String(at(before, "spec", "path"))),
  );
  if (old.length === 0)
    return kind === "NetworkPolicy" || !rejectsSecondServer(specs.before)
      ? {
          risk: "harmless",
          reason: "an object with another name replaces this object. Flux creates the new object before it deletes this object",
        }
      : {
          risk: "stalled-rollout",
          reason:
            "a Server with another name replaces this Server for the same pods and port. Flux deletes the old Server only after it has applied the new Server. Until then, Linkerd can reject the new Server as a second Server for the same pods and port",
          steps: [
            {
              text: "In a first commit, set access: off for this port. Until the last step, the default inbound policy applies to the port.",
            },
            {
              text: "Push the commit, and wait until Flux has applied the commit.",
              command: `meshops status ${environment} --watch`,
            },
            { text: "In a second commit, change the name, remove access: off, and push." },
          ],
        };
  const policies = objects.filter((each) => each.change === "removed" && effect.has(each.kind));
  const deletion = (network: boolean): Step[] => {
    const own = policies.filter((policy) => (policy.kind === "NetworkPolicy") === network);
    return [...new Set(own.map(({ namespace }) => namespace))].map((namespace) => ({
      text: network
        ? `Delete the old NetworkPolicies in namespace ${namespace}.`
        : rejectsSecondServer(specs.before)
          ? `Delete the old Servers in namespace ${namespace}, because Linkerd rejects a second Server for the same port. Until the new Servers exist, all clients that the NetworkPolicies admit can connect.`
          : `Delete the old Servers and their policies in namespace ${namespace}. Until then, the old Server of a port applies, because it is older than the new Server.`,
      command: `kubectl delete --namespace ${namespace} ${own
        .filter((policy) => policy.namespace === namespace)
        .map((policy) => `${policy.kind.toLowerCase()}/${policy.name}`)
        .join(" ")}`,
    }));
  };
  return {
    risk: "wider-access",
    reason:
      "an object with another name replaces this object. If you push without the following steps, Flux deletes the old objects and creates the new objects in no fixed order. While no policy exists, all clients can connect",
    steps: [
      {
        text: "Before you push, suspend the old Kustomization. If a suspended Kustomization is deleted, Flux keeps its objects.",
        command: suspendKustomizations(
          old.map(({ name }) => name),
          old[0]?.namespace ?? "flux-system",
        ),
      },
      ...(rejectsSecondServer(specs.before) ? deletion(false) : []),
      {
        text: "Push the commit, and wait until Flux has applied the new policies.",
        command: `meshops status ${environment} --watch`,
      },
      ...(rejectsSecondServer(specs.before) ? [] : deletion(false)),
      ...deletion(true),
    ],
  };
}

/**
 * Whether the policy controller rejects a second Server for the same port of the same pods. stable-2.14.10 does, and the
 * edge releases of the catalog do not (linkerd2, policy-controller/src/admission.rs, `overlaps`).
 */
function rejectsSecondServer(spec: Environment | null): boolean {
  return spec === null || linkerdRelease(spec.spec.linkerd.version).channel === "stable";
}

/** Whether an added and a removed object of the same kind are the same object with another name or namespace. */
function isMoved({ kind, name, change }: ChangedObject, all: readonly ChangedObject[]): boolean {
  const releases = all.flatMap(({ fields }) => fields.filter(({ path }) => path === "spec.releaseName"));
  const names = releases.map(({ before, after }) =>
    change === "added" ? name.replace(`${after}-`, `${before}-`) : name.replace(`${before}-`, `${after}-`),
  );
  const opposite = change === "added" ? "removed" : "added";
  return all.some((other) => other.kind === kind && other.change === opposite && [name, ...names].includes(other.name));
}

function requires(policy: ChangedObject, authentication: string): boolean {
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
      ? { risk: "narrower-access", reason: "this object denies all clients that are not explicitly allowed" }
      : { risk: "wider-access", reason: "this object is removed, so it no longer restricts access" };
  return change === "added"
    ? { risk: "wider-access", reason: "this object allows additional clients" }
    : { risk: "narrower-access", reason: "clients lose access if no other object allows them" };
}

/** Whether a NetworkPolicy gets a rule that admits all clients. */
function opensToAll({ kind, before, after }: ChangedObject): boolean {
  const open = (object: ChangedObject["after"]): boolean =>
    listAt(object, "spec", "ingress").some((rule) => listAt(rule, "from").length === 0);
  return kind === "NetworkPolicy" && open(after) && !open(before);
}

/** A client of a NetworkPolicy whose ports change. */
interface PortChange {
  readonly client: string;
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/**
 * Returns the clients of a NetworkPolicy for which only the ports change, and the other changed fields. A rule with other
 * ports is reported as a removed rule and an added rule.
 */
function ingressChanges(fields: readonly FieldChange[]): [PortChange[], FieldChange[]] {
  const from = (rule: unknown): string => JSON.stringify(asMap(rule)["from"] ?? []);
  const ports = (rule: unknown): string[] => listAt(rule, "ports").map((port) => `port ${portOf(port)}`);
  const isRule = ({ path }: FieldChange): boolean => path === "spec.ingress[]";
  const removed = fields.filter((field) => isRule(field) && field.after === undefined);
  const added = fields.filter((field) => isRule(field) && field.before === undefined);
  const pairs = removed.flatMap((old) => {
    const next = added.find((each) => from(each.after) === from(old.before));
    return next === undefined ? [] : [{ old, next }];
  });
  const paired = new Set(pairs.flatMap(({ old, next }) => [old, next]));
  const changes = pairs.map(({ old, next }) => ({
    client: peers({ from: asMap(old.before)["from"] }),
    gained: ports(next.after).filter((port) => !ports(old.before).includes(port)),
    lost: ports(old.before).filter((port) => !ports(next.after).includes(port)),
  }));
  return [changes, fields.filter((field) => !paired.has(field))];
}

function* byField({ path, before, after }: FieldChange, environment: string): Iterable<Assessment> {
  const list = lists.find((entry) => entry.path.test(path));
  if (path === "spec.accessPolicy" && [before, after].includes("audit")) {
    yield after === "audit"
      ? { risk: "wider-access", reason: "Linkerd admits all clients, and counts the requests of clients that are not listed" }
      : {
          risk: "narrower-access",
          reason:
            "Linkerd refuses the clients that are not listed. Until now, Linkerd admitted these clients and counted their requests",
          prerequisites: [
            {
              text: "Before you push, check which clients are not listed but still connect. After the push, Linkerd refuses these clients (meshops help workloads, “From audit to enforce”).",
              command: `meshops status ${environment}`,
            },
          ],
        };
  } else if (path === "spec.proxyProtocol" && ![before, after].every((each) => each === "unknown" || each === "opaque"))
    // A port with the protocol unknown accepts opaque connections, too.
    yield {
      risk: "narrower-access",
      reason: `the proxies treat connections to this port as ${String(after)}. Requests of another protocol fail. On an opaque port, Linkerd refuses httpGet probes`,
    };
  else if (list === undefined) {
    if (/^spec\.podSelector/.test(path)) yield otherPods(before, after);
    else if (/^spec\.port$/.test(path))
      yield {
        risk: "narrower-access",
        reason: `the policy now protects port ${String(after)} instead of port ${String(before)}. Unlisted clients lose access to port ${String(after)}. The default inbound policy applies to port ${String(before)}, so other clients can gain access to it`,
      };
    else if (/^spec\.(targetRef|accessPolicy|policyTypes)/.test(path))
      yield {
        risk: "wider-access",
        reason: "the policy now applies to other connections, so the policy can allow additional clients",
      };
  } else if (/\.ports\[\]$/.test(path) && (before === undefined || after === undefined))
    yield before === undefined
      ? { risk: "wider-access", reason: `the policy now also allows port ${portOf(after)}` }
      : { risk: "narrower-access", reason: `the policy no longer allows port ${portOf(before)}` };
  else if (before !== undefined && after !== undefined)
    yield { risk: "wider-access", reason: `the policy now lists ${peers(after)} instead of ${peers(before)}` };
  else if (list.entry === "opens") yield before === undefined ? gains(peers(after)) : loses(peers(before));
  else
    yield before === undefined
      ? { risk: "narrower-access", reason: `the policy now also requires the authentication ${peers(after)}` }
      : { risk: "wider-access", reason: `the policy no longer requires the authentication ${peers(before)}` };
}

/** Assesses a label that is added to the selector of a policy, removed from it, or that gets another value. */
function otherPods(before: unknown, after: unknown): Assessment {
  if (after === undefined)
    return {
      risk: "narrower-access",
      reason:
        "the policy now selects more pods. If other pods have the remaining labels, unlisted clients lose access to these pods",
    };
  const unprotected =
    "Pods that it no longer selects are not protected: all clients that no other policy refuses can connect to them";
  return {
    risk: before === undefined ? "wider-access" : "narrower-access",
    reason:
      before === undefined
        ? `the policy now selects fewer pods. ${unprotected}`
        : `the policy now selects other pods. Unlisted clients lose access to these pods. ${unprotected}`,
  };
}

function portOf(rule: unknown): string {
  return String(asMap(rule)["port"] ?? "of any number");
}

/** Returns a short text for a peer: a service account, a namespace, ports, or the value as JSON. */
function peers(value: unknown): string {
  const { namespace, name } = asMap(value);
  if (typeof namespace === "string" && typeof name === "string") return `${namespace}/${name}`;
  const text = JSON.stringify(value) ?? "";
  if (text.includes('"namespaceSelector":{}') && text.includes(meshedLabel)) return everyMeshed;
  const names = [...text.matchAll(/"(?:kubernetes\.io\/metadata\.name|namespace|name)":"([^"]+)"/g)].map(([, found]) => found);
  const ports = [...text.matchAll(/"port":(\d+)/g)].map(([, port]) => port);
  const networks = [...text.matchAll(/"cidr":"([^"]+)"/g)].map(([, cidr]) => cidr);
  const who = [[...new Set(names)].join("/"), ...networks].filter((part) => part !== "").join(", ");
  const where = ports.length === 0 ? "" : ` on ${ports.join(", ")}`;
  return who === "" && where === "" ? text : `${who === "" ? "any client" : who}${where}`;
}
