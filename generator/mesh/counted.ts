import { clientsAt, isAccountClient, type PodSet } from "./pod-set.ts";

/**
 * Number of requests or connections of one client that Linkerd admitted only because of the mode `audit` of a Server.
 */
export interface CountedClient {
  /** Name of the Server. */
  readonly server: string;
  /** Service account of the client; null for a client without an identity. */
  readonly identity: { readonly namespace: string; readonly name: string } | null;
  readonly count: number;
}

/**
 * Matches a counter of admitted HTTP requests, or of admitted connections of other protocols. The capture groups
 * contain the labels and the count (linkerd2-proxy, app/inbound/src/metrics/authz.rs).
 */
const counter = /^(?:inbound_http_authz_allow_total|inbound_tcp_authz_allow_total)\{(.*)\} ([\d.e+]+)$/;

/**
 * Returns the clients that a proxy counted because of the mode `audit`.
 *
 * @param metrics the metrics of the proxy as text
 */
export function countedIn(metrics: string): CountedClient[] {
  return metrics.split("\n").flatMap((line) => {
    const [, text = "", count = "0"] = counter.exec(line.trim()) ?? [];
    const labels = new Map([...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", value = ""]) => [key, value]));
    const server = labels.get("srv_name");
    if (labels.get("authz_name") !== "audit" || server === undefined) return [];
    const [, name, namespace] =
      /^([^.]+(?:\.[^.]+)*?)\.([^.]+)\.serviceaccount\.identity\./.exec(labels.get("client_id") ?? "") ?? [];
    const identity = name === undefined || namespace === undefined ? null : { namespace, name };
    return [{ server, identity, count: Number(count) }];
  });
}

/** A client that the mode `enforce` would refuse at a port. */
export interface RefusedLater {
  readonly key: string;
  readonly port: number;
  readonly identity: CountedClient["identity"];
  readonly count: number;
}

/**
 * Returns the counted clients that the mode `enforce` would refuse at the ports of a set of pods. Omits clients that an
 * entry in `access.clients` admits by service account, by namespace or by `all`. Linkerd can also count these clients:
 * the policy controller keeps authorizations in a hash map without order. Linkerd may therefore evaluate the
 * authorization of the mode `audit` before the authorization of the client. Does not omit clients whose address is in a
 * listed network, because the metrics do not contain addresses.
 */
export function refusedLater(set: PodSet, counted: readonly CountedClient[]): RefusedLater[] {
  return Object.entries(set.ports).flatMap(([key, port]) => {
    const clients = clientsAt(set, key);
    const isListed = ({ identity }: CountedClient): boolean =>
      clients.some((client) => {
        if ("all" in client) return client.all === "any" || identity !== null;
        if ("cidrs" in client || identity === null) return false;
        if (!isAccountClient(client)) return client.namespace === identity.namespace;
        const { namespace, name } = client.serviceAccountRef;
        return namespace === identity.namespace && name === identity.name;
      });
    const own = counted.filter((each) => each.server === `${set.name}-${key}` && !isListed(each));
    const sums = new Map<string, RefusedLater>();
    for (const { identity, count } of own) {
      const name = identity === null ? "" : `${identity.namespace}/${identity.name}`;
      sums.set(name, { key, port: port.port, identity, count: (sums.get(name)?.count ?? 0) + count });
    }
    return [...sums.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  });
}
