import { type DgraphChart, type DgraphRole, dgraphPorts } from "../../catalog/dgraph.ts";
import type { LinkerdRelease } from "../../catalog/linkerd.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { type Account, type Guarded, guard } from "../../mesh/authorization.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { dgraphLabels, dgraphName } from "../dgraph/names.ts";

/** Who may use which port of Dgraph, by mesh identity. `/health` of Alpha is a probe's path, and so no secret. */
export function dgraphAuthorization(environment: Environment, track: LinkerdRelease, chart: DgraphChart): KubernetesObject[] {
  const { namespace } = environment.spec.dgraph;
  return guardedPorts(environment, chart).flatMap(({ name, role, ...guarded }) =>
    guard(
      {
        ...guarded,
        metadata: { name: dgraphName(environment, name), namespace },
        podSelector: { matchLabels: dgraphLabels(environment, role) },
      },
      track,
    ),
  );
}

/** A port of Dgraph that the mesh guards. */
export interface DgraphPort extends Pick<Guarded, "port" | "protocol" | "accounts"> {
  /** Name of its Server, less the release's. */
  readonly name: string;
  readonly role: DgraphRole;
}

/** Every port of Dgraph that the mesh guards; those that skip the proxy are not among them. */
export function guardedPorts({ spec: { dgraph } }: Environment, { traits }: DgraphChart): DgraphPort[] {
  const { alpha, zero } = dgraphPorts;
  const clientsOf = (port: "http" | "grpc"): Account[] => dgraph.clients.filter(({ ports }) => ports.includes(port));
  const peers = [{ namespace: dgraph.namespace, serviceAccount: traits.serviceAccount }];
  // Not gRPC in mode mesh: a proxy refuses opaque connections to such a port (linkerd2-proxy, inbound/src/policy/tcp.rs), and those of
  // pods that have rolled to mode opaque, or come from it, are.
  const internal = { protocol: dgraph.internalPorts === "opaque" ? "opaque" : "unknown", accounts: peers } as const;
  return [
    { name: "alpha-http", role: "alpha", port: alpha.http, protocol: "HTTP/1", accounts: clientsOf("http") },
    { name: "alpha-grpc", role: "alpha", port: alpha.grpc, protocol: "gRPC", accounts: clientsOf("grpc") },
    { name: "zero-http", role: "zero", port: zero.http, protocol: "HTTP/1", accounts: [] },
    ...(dgraph.internalPorts === "skip"
      ? []
      : ([
          { name: "alpha-internal", role: "alpha", port: alpha.internal, ...internal },
          { name: "zero-internal", role: "zero", port: zero.internal, ...internal },
        ] as const)),
  ];
}
