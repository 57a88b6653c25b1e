import { type DgraphChart, type DgraphRole, dgraphPorts } from "../catalog/dgraph.ts";
import type { LinkerdTrack } from "../catalog/linkerd.ts";
import type { KubernetesObject } from "../model.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { dgraphLabels, dgraphName } from "./dgraph.ts";

/** A service account: the identity of a meshed workload. */
interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** A port of Dgraph that the mesh guards, and who may use it. */
interface Guarded {
  /** Name of its Server, less the release's. */
  readonly name: string;
  readonly role: DgraphRole;
  readonly port: number;
  readonly protocol: "HTTP/1" | "gRPC" | "opaque" | "unknown";
  readonly accounts: readonly Account[];
}

/**
 * Who may use which port of Dgraph, by mesh identity: a Server closes the port to all, an AuthorizationPolicy opens it to the
 * service accounts of a MeshTLSAuthentication. HTTP probes pass none the less, from anybody and with `GET` on their paths alone
 * (linkerd2, policy-controller, default probe routes), so `/health` of Alpha is no secret. Ports that skip the proxy are beyond all this.
 */
export function dgraphAuthorization(environment: Environment, track: LinkerdTrack, chart: DgraphChart): KubernetesObject[] {
  return guardedPorts(environment, chart).flatMap((guarded) => [
    server(environment, track, guarded),
    ...(guarded.accounts.length === 0 ? [] : authorize(environment, track, guarded)),
  ]);
}

function guardedPorts({ spec: { dgraph } }: Environment, { traits }: DgraphChart): Guarded[] {
  const { alpha, zero } = dgraphPorts;
  const clientsOf = (port: "http" | "grpc"): Account[] => distinct(dgraph.clients.filter(({ ports }) => ports.includes(port)));
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

function server(environment: Environment, { traits }: LinkerdTrack, { name, role, port, protocol }: Guarded): KubernetesObject {
  return {
    apiVersion: `policy.linkerd.io/${traits.policyApi.server}`,
    kind: "Server",
    metadata: metadata(environment, name),
    spec: { podSelector: { matchLabels: dgraphLabels(environment, role) }, port, proxyProtocol: protocol },
  };
}

function authorize(environment: Environment, { traits }: LinkerdTrack, { name, accounts }: Guarded): KubernetesObject[] {
  const group = "policy.linkerd.io";
  const apiVersion = `${group}/${traits.policyApi.authorizationPolicy}`;
  const own = metadata(environment, name);
  return [
    {
      apiVersion,
      kind: "MeshTLSAuthentication",
      metadata: own,
      spec: {
        identityRefs: accounts.map(({ namespace, serviceAccount }) => ({
          kind: "ServiceAccount",
          name: serviceAccount,
          namespace,
        })),
      },
    },
    {
      apiVersion,
      kind: "AuthorizationPolicy",
      metadata: own,
      spec: {
        targetRef: { group, kind: "Server", name: own.name },
        requiredAuthenticationRefs: [{ group, kind: "MeshTLSAuthentication", name: own.name }],
      },
    },
  ];
}

function metadata(environment: Environment, name: string): { name: string; namespace: string } {
  return { name: dgraphName(environment, name), namespace: environment.spec.dgraph.namespace };
}

function distinct(accounts: readonly Account[]): Account[] {
  return [...new Map(accounts.map((account) => [`${account.namespace}/${account.serviceAccount}`, account])).values()];
}
