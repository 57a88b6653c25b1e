import { meshedLabel } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject, FieldChange } from "../../components/change-rule.ts";
import { at, listAt } from "../../kubernetes/object-fields.ts";
import { asMap } from "../../system/data.ts";

/** Lists in policies. `opens`: each additional entry allows more clients. `closes`: clients must meet each entry. */
const lists: readonly { readonly path: RegExp; readonly entry: "opens" | "closes" }[] = [
  { path: /^spec\.ingress\[\]/, entry: "opens" },
  { path: /^spec\.requiredAuthenticationRefs\[\]/, entry: "closes" },
];

/** Yields the risks of the changed fields of a policy. */
export function* fieldRisks(changed: ChangedObject, environment: string): Iterable<Assessment> {
  const { kind, fields } = changed;
  const isAudited = kind === "Server" && at(changed.after, "spec", "accessPolicy") === "audit";
  const opened = opensToAll(changed);
  if (opened) yield { risk: "wider-access", reason: "all clients gain access to ports of these pods" };
  const [rules, others] = opened ? [[], fields.filter((field) => !isRule(field))] : ingressChanges(fields);
  for (const { client, gained, lost } of rules) {
    if (gained.length > 0) yield { risk: "wider-access", reason: `${client} gains access to ${gained.join(", ")}` };
    if (lost.length > 0) yield { risk: "narrower-access", reason: `${client} loses access to ${lost.join(", ")}` };
  }
  for (const field of others) yield* byField(field, environment, isAudited);
}

export const everyMeshed = "all meshed pods";

export function gains(client: string): Assessment {
  return { risk: "wider-access", reason: `${client} ${client.startsWith("all ") ? "gain" : "gains"} access` };
}

export function loses(client: string): Assessment {
  return { risk: "narrower-access", reason: `${client} ${client.startsWith("all ") ? "lose" : "loses"} access` };
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

/** Whether a field is one rule in the ingress list of a NetworkPolicy. */
function isRule({ path }: FieldChange): boolean {
  return path === "spec.ingress[]";
}

/**
 * Returns the clients of a NetworkPolicy for which only the ports change, and the other changed fields. A rule with other
 * ports is reported as a removed rule and an added rule.
 */
function ingressChanges(fields: readonly FieldChange[]): [PortChange[], FieldChange[]] {
  const from = (rule: unknown): string => JSON.stringify(asMap(rule)["from"] ?? []);
  const ports = (rule: unknown): string[] => listAt(rule, "ports").map((port) => `port ${portOf(port)}`);
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

/** @param isAudited whether the policy is a Server that admits all clients and counts them */
function* byField({ path, before, after }: FieldChange, environment: string, isAudited: boolean): Iterable<Assessment> {
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
    else if (path === "spec.port" && isAudited)
      yield {
        risk: "wider-access",
        reason: `Linkerd now admits all clients at port ${String(after)} instead of port ${String(before)}, and counts the requests of clients that are not listed`,
      };
    else if (path === "spec.port")
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
