import { portKey } from "../../mesh/pod-set.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { alternatives } from "../../system/text.ts";
import { type RoutedSet, routedSets } from "./entries.ts";

/** Rules about the routes of workloads, except the rules that read .proto files. */
export const routeRules: readonly Rule[] = [
  {
    code: "workload-route-port",
    severity: "error",
    title: "Routes are set for a port whose protocol does not support routes",
    why: "A route matches the path of a gRPC request, so the proxy must parse the requests. gRPC uses HTTP/2. The port must therefore have the protocol gRPC or HTTP/2. At an opaque port, the proxy does not parse requests.",
    fix: "Set `routes.port` to a port of the set of pods. The protocol of this port must be gRPC or HTTP/2.",
    check: routedPort,
  },
  {
    code: "workload-route-service",
    severity: "error",
    title: "Two sets of pods have routes for the same Service",
    why: 'A Service has one ServiceProfile, and a ServiceProfile takes precedence over all routes of its Service (Linkerd docs, "Service profiles"). The objects that meshops generates for the two sets would have the same names.',
    fix: "Keep the field `routes` of only one of the two sets of pods.",
    check: oneServiceEach,
  },
];

/** A set of pods with routes, and its place in the spec. */
interface PlacedSet extends RoutedSet {
  readonly workload: string;
  readonly namespace: string;
}

function routedSetsOf({ spec: { workloads } }: Environment): PlacedSet[] {
  return Object.entries(workloads).flatMap(([workload, each]) =>
    routedSets(each).map((set) => ({ ...set, workload, namespace: each.namespace })),
  );
}

function at({ workload, key }: Pick<PlacedSet, "workload" | "key">, field: string): RuleFinding["paths"][number] {
  return spec("workloads", workload, "pods", key, "routes", field);
}

function* routedPort(environment: Environment): Iterable<RuleFinding> {
  for (const set of routedSetsOf(environment)) {
    const { pods, routes } = set;
    const protocolOf = (key: string): string => pods.ports[key]?.protocol ?? "";
    const fitting = Object.keys(pods.ports).filter((key) => ["gRPC", "HTTP/2"].includes(protocolOf(key)));
    const key = portKey(routes.port, pods.ports);
    if (key !== null && fitting.includes(key)) continue;
    yield {
      paths: [at(set, "port")],
      message:
        key === null
          ? `the set of pods ${set.workload}/${set.key} has no port ${routes.port}`
          : `port ${key} has the protocol ${protocolOf(key)}, so the proxy cannot match gRPC methods`,
      fix: fitting.length === 0 ? "if the port serves gRPC, set protocol: gRPC for this port" : `set port: ${fitting[0]}`,
      ...(fitting.length === 0 ? {} : { expected: alternatives(fitting) }),
    };
  }
}

function* oneServiceEach(environment: Environment): Iterable<RuleFinding> {
  const taken = new Map<string, PlacedSet>();
  for (const set of routedSetsOf(environment)) {
    const name = `${set.namespace}/${set.routes.service}`;
    const other = taken.get(name);
    taken.set(name, other ?? set);
    if (other === undefined) continue;
    yield {
      paths: [at(set, "service"), at(other, "service")],
      message: `${other.workload}/${other.key} and ${set.workload}/${set.key} have routes for the same Service ${set.routes.service}`,
      fix: `remove routes from ${set.workload}/${set.key}, or set routes.service to another Service`,
    };
  }
}
