import { allNetworks, meshedLabel, namespaceNameLabel } from "../../catalog/well-known.ts";
import type { Assessment, ChangedObject } from "../../components/change-rule.ts";
import { at, listAt, mapAt } from "../../kubernetes/object-fields.ts";
import { isWithin } from "../../mesh/networks.ts";
import { listedIdentities } from "../../mesh/policy-readers.ts";
import { asMap } from "../../system/data.ts";
import { compareText } from "../../system/text.ts";
import { stateOf } from "./policy-renames.ts";

/**
 * Clients that a policy admits, and the ports of each client. The key is the client. The value is the set of the ports
 * on which the policy admits this client. An authentication applies to all ports of its Server: for a client of an
 * authentication, the set contains only an empty text.
 */
type Admitted = ReadonlyMap<string, ReadonlySet<string>>;

const everyClient = "all clients";
const everyMeshed = "all meshed pods";
const everyPort = "all ports";

/**
 * Yields the clients and ports that a changed NetworkPolicy or authentication admits only before the change, or only
 * after the change. The texts describe only this object. Another object can still admit or refuse the client.
 *
 * @param all the other changed objects; an added authentication for the same Server can admit a client that `changed`
 *   no longer admits
 */
export function* admissionChanges(changed: ChangedObject, all: readonly ChangedObject[]): Iterable<Assessment> {
  const [old, current] = [admittedBy(changed.kind, changed.before), admittedBy(changed.kind, changed.after)];
  for (const [client, ports] of notCovered(current, old))
    yield { risk: "wider-access", reason: `this object now also admits ${client}${atPorts(ports)}` };
  const besides = all
    .filter((other) => other.change === "added" && other.namespace === changed.namespace && shareServer(other, changed, all))
    .map(({ kind, after }) => admittedBy(kind, after));
  for (const [client, ports] of notCovered(old, current, ...besides))
    yield { risk: "narrower-access", reason: `this object no longer admits ${client}${atPorts(ports)}` };
}

function atPorts(ports: readonly string[]): string {
  const named = ports.filter((port) => port !== "");
  return named.length === 0 ? "" : ` at ${named.join(" and ")}`;
}

/** Returns the clients and ports in `admitted` that none of the maps in `others` contains. */
function notCovered(admitted: Admitted, ...others: readonly Admitted[]): [client: string, ports: string[]][] {
  return [...admitted].flatMap(([client, ports]): [string, string[]][] => {
    const wide = others.flatMap((other) => [...other].filter(([each]) => includesClient(each, client)).map(([, own]) => own));
    const missing = [...ports].filter((port) => !wide.some((own) => own.has(port) || own.has(everyPort)));
    return missing.length === 0 ? [] : [[client, missing.sort(compareText)]];
  });
}

/**
 * Whether `outer` includes every pod that `inner` includes. Both are descriptions of clients, such as `all meshed
 * pods`.
 */
function includesClient(outer: string, inner: string): boolean {
  if (outer === everyClient || isWithin(inner, outer)) return true;
  const namespace = /^meshed pods of (\S+)$/.exec(outer)?.[1];
  if (namespace !== undefined) return inner.startsWith(`${namespace}/`);
  return outer === everyMeshed && /^meshed pods of |^[^/]+\/[^/]+$/.test(inner) && !/\d\/\d/.test(inner);
}

function admittedBy(kind: string, object: ChangedObject["before"]): Admitted {
  return kind === "NetworkPolicy" ? admittedByRules(object) : admittedByIdentity(object);
}

function admittedByIdentity(object: ChangedObject["before"]): Admitted {
  const own = String(at(object, "metadata", "namespace"));
  const networks = listAt(object, "spec", "networks").map((each) => String(at(each, "cidr")));
  const clients = [
    ...listedIdentities(at(object, "spec"), own).map(({ kind, name, namespace }) =>
      kind === "Namespace"
        ? `meshed pods of ${name}`
        : kind === "ServiceAccount"
          ? `${namespace}/${name}`
          : name === "*"
            ? everyMeshed
            : name,
    ),
    ...(allNetworks.every((network) => networks.includes(network)) ? [everyClient] : networks),
  ];
  return new Map(clients.map((client) => [client, new Set([""])]));
}

function admittedByRules(policy: ChangedObject["before"]): Admitted {
  const admitted = new Map<string, Set<string>>();
  for (const rule of listAt(policy, "spec", "ingress")) {
    const from = listAt(rule, "from");
    const ports = listAt(rule, "ports").map(portOf);
    for (const client of from.length === 0 ? [everyClient] : from.map(peerOf))
      admitted.set(client, new Set([...(admitted.get(client) ?? []), ...(ports.length === 0 ? [everyPort] : ports)]));
  }
  return admitted;
}

function portOf(entry: unknown): string {
  const { port, endPort, protocol = "TCP" } = asMap(entry);
  if (port === undefined) return everyPort;
  return `port ${endPort === undefined ? port : `${port}-${endPort}`}${protocol === "TCP" ? "" : `/${protocol}`}`;
}

/** Returns a short text for a peer of a NetworkPolicy. */
function peerOf(peer: unknown): string {
  const { ipBlock, namespaceSelector, podSelector } = asMap(peer);
  if (ipBlock !== undefined) return String(at(ipBlock, "cidr"));
  const namespaces = labelsOf(namespaceSelector);
  const pods = labelsOf(podSelector);
  const meshed = Object.hasOwn(pods, meshedLabel);
  const { [meshedLabel]: _, ...others } = pods;
  const { [namespaceNameLabel]: name, ...rest } = namespaces;
  if (name === undefined && Object.keys(rest).length === 0 && namespaceSelector !== undefined && meshed) return everyMeshed;
  const labels = listed(others);
  const where =
    namespaceSelector === undefined
      ? " in this namespace"
      : name !== undefined
        ? ` of ${name}`
        : ` of namespaces with the labels ${listed(rest)}`;
  return `${meshed ? "meshed pods" : "pods"}${labels === "" ? "" : ` with the labels ${labels}`}${where}`;
}

function labelsOf(selector: unknown): Readonly<Record<string, unknown>> {
  return { ...mapAt(selector, "matchLabels"), ...expressions(selector) };
}

function expressions(selector: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    listAt(selector, "matchExpressions").map((each) => {
      const { key, operator, values } = asMap(each);
      return [String(key), `${operator}${Array.isArray(values) ? `(${values.join(",")})` : ""}`];
    }),
  );
}

function listed(labels: Readonly<Record<string, unknown>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(",");
}

/**
 * Whether two authentications apply to the same Server. meshops gives an authentication the name of its Server, with a
 * suffix if the Server has more than one authentication.
 */
function shareServer(other: ChangedObject, changed: ChangedObject, all: readonly ChangedObject[]): boolean {
  if (!/^(MeshTLS|Network)Authentication$/.test(other.kind) || other.name === changed.name) return false;
  return at(policyRequiring(other, all)?.after, "spec", "targetRef", "name") === changed.name;
}

/**
 * Returns the changed AuthorizationPolicy that requires an authentication; undefined if no changed policy requires this
 * authentication.
 */
export function policyRequiring(authentication: ChangedObject, all: readonly ChangedObject[]): ChangedObject | undefined {
  return all.find(
    (other) =>
      other.kind === "AuthorizationPolicy" &&
      other.namespace === authentication.namespace &&
      listAt(stateOf(other), "spec", "requiredAuthenticationRefs").some((entry) => at(entry, "name") === authentication.name),
  );
}
