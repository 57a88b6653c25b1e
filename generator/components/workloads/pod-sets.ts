import { portKeys, proxyPrefix } from "../../catalog/well-known.ts";
import { type Client, type ClientSource, type PodSet, type Port, portKey } from "../../mesh/pod-set.ts";
import { includes, parsePorts } from "../../mesh/ports.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment, PodSet as PodsInSpec, WorkloadClient } from "../../spec/environment.generated.ts";
import { scrapersOf } from "../scrapers.ts";

/**
 * Returns the sets of pods of a workload. Omits clients that the spec does not describe completely. The rules report
 * these clients.
 */
export function podSetsOf(environment: Environment, workload: string): PodSet[] {
  const { namespace, pods } = environment.spec.workloads[workload] ?? { namespace: "", pods: {} };
  return Object.entries(pods).map(([key, set]) => podSet(environment, { workload, key, namespace, set }));
}

/** A set of pods in the spec, with the names and the namespace that identify this set. */
interface SetInSpec {
  readonly workload: string;
  readonly key: string;
  readonly namespace: string;
  readonly set: PodsInSpec;
}

/**
 * Returns the PodSet for a set of pods in the spec. Omits clients that the spec does not describe completely. The rules
 * report these clients.
 */
export function podSet(environment: Environment, { workload, key, namespace, set }: SetInSpec): PodSet {
  const { access } = set;
  const { matchLabels, matchExpressions } = set.selector;
  return {
    name: key === workload ? key : `${workload}-${key}`,
    title: `${workload}/${key}`,
    namespace,
    workloadRef: set.workloadRef ?? null,
    selector: {
      ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
      ...(matchExpressions.length === 0 ? {} : { matchExpressions: matchExpressions.map(expression) }),
    },
    serviceAccountName: set.serviceAccountName,
    inject: set.inject,
    proxy: set.proxy,
    services: set.services,
    replicas: null,
    ports: portsOf(set),
    access: {
      mode: access.mode,
      viz: environment.spec.linkerd.viz.enabled,
      scrapers: scrapersOf(environment),
      clients: Object.values(access.clients).flatMap((client) => {
        const source = sourceOf(client, environment);
        return source === null ? [] : [clientOf(source, client, set)];
      }),
    },
  };
}

function expression({ key, operator, values }: PodsInSpec["selector"]["matchExpressions"][number]): {
  key: string;
  operator: string;
  values?: string[];
} {
  return { key, operator, ...(values.length === 0 ? {} : { values }) };
}

function portsOf({ ports, proxy }: PodsInSpec): Record<string, Port> {
  const skipped = parsePorts(proxy[portKeys.skipInbound.slice(proxyPrefix.length)]);
  return Object.fromEntries(
    Object.entries(ports).map(([key, { port, servicePort, protocol, access: mode }]): [string, Port] => [
      key,
      {
        port,
        protocol,
        ...(servicePort === undefined ? {} : { servicePort }),
        ...(includes(skipped, port) ? { skipsProxy: true } : {}),
        ...(mode === undefined ? {} : { mode }),
      },
    ]),
  );
}

function clientOf(source: ClientSource, { ports }: WorkloadClient, set: PodsInSpec): Client {
  return ports === undefined ? source : { ...source, ports: ports.flatMap((port) => portKey(port, set.ports) ?? []) };
}

/**
 * Returns the `ClientSource` for an entry in `access.clients`; null if the spec does not describe the client
 * completely.
 */
function sourceOf(client: WorkloadClient, environment: Environment): ClientSource | null {
  const { serviceAccountRef, workload, namespace, cidrs, builtin } = client;
  if (serviceAccountRef !== undefined) return { serviceAccountRef };
  if (workload !== undefined) return accountOf(workload, environment);
  if (namespace !== undefined) return { namespace };
  if (cidrs !== undefined) return { cidrs };
  if (builtin === "meshed") return { all: "meshed" };
  if (builtin === "everyone") return { all: "any" };
  const { nodes, apiServer } = clusterOf(environment).networks;
  const [networks, onNode] = builtin === "kubelet" ? [nodes, true] : [apiServer, false];
  return networks.length === 0 ? null : { cidrs: networks, ...(onNode ? { onNode } : {}) };
}

/**
 * Returns the service account of a set of pods; null if the spec does not contain the set. The name of the set has the
 * form `workload/set`.
 */
function accountOf(name: string, { spec: { workloads } }: Environment): ClientSource | null {
  const [workload = "", key = ""] = name.split("/");
  const found = workloads[workload];
  const set = found?.pods[key];
  return found === undefined || set === undefined
    ? null
    : { serviceAccountRef: { namespace: found.namespace, name: set.serviceAccountName } };
}
