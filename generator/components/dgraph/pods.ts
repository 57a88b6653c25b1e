import { type DgraphRole, dgraphChart, dgraphPorts } from "../../catalog/dgraph.ts";
import { type Client, type PodSet, type Port, portKey } from "../../mesh/pod-set.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { scrapersOf } from "../scrapers.ts";
import { dgraphLabels, dgraphName } from "./names.ts";

/**
 * Dgraph's pods: the Alphas, which serve clients, and the Zeros, which coordinate the Alphas. Alpha's `/health` is a
 * probe path, so Linkerd allows every client to request this path.
 */
export function dgraphPods(environment: Environment): readonly [alpha: PodSet, zero: PodSet] {
  const { alpha, zero } = dgraphPorts;
  return [
    podSet(environment, "alpha", {
      http: { port: alpha.http, protocol: "HTTP/1" },
      grpc: { port: alpha.grpc, protocol: "gRPC" },
      internal: internalPort(environment, "alpha"),
    }),
    podSet(environment, "zero", {
      http: { port: zero.http, protocol: "HTTP/1" },
      internal: internalPort(environment, "zero"),
    }),
  ];
}

function podSet(environment: Environment, role: DgraphRole, ports: Readonly<Record<string, Port>>): PodSet {
  const { dgraph, linkerd } = environment.spec;
  const { serviceAccount } = dgraphChart(dgraph.chart).traits;
  const name = dgraphName(environment, role);
  return {
    name,
    title: role === "alpha" ? "Dgraph Alpha" : "Dgraph Zero",
    namespace: dgraph.namespace,
    workloadRef: { kind: "StatefulSet", name },
    selector: { matchLabels: dgraphLabels(environment, role) },
    serviceAccountName: serviceAccount,
    inject: "enabled",
    replicas: dgraph[role].replicas,
    ports,
    access: {
      mode: dgraph.networkPolicy ? "enforce" : "off",
      viz: linkerd.viz.enabled,
      scrapers: scrapersOf(environment),
      clients: [peers(environment, serviceAccount), ...(role === "alpha" ? listedClients(environment, ports) : [])],
    },
  };
}

/**
 * Returns the port for Raft. If `internalPorts` is `mesh`, the protocol is `unknown` and not gRPC, because a proxy
 * refuses opaque connections to a gRPC port (linkerd2-proxy, inbound/src/policy/tcp.rs). During a rollout that changes
 * `internalPorts` from or to `opaque`, some pods still send opaque connections.
 */
function internalPort({ spec: { dgraph } }: Environment, role: DgraphRole): Port {
  const { internalPorts } = dgraph;
  return {
    port: dgraphPorts[role].internal,
    protocol: internalPorts === "opaque" ? "opaque" : "unknown",
    skipsProxy: internalPorts === "skip",
    purpose: "Raft",
  };
}

/**
 * Returns the entry that admits Alphas and Zeros as clients of each other. For every value of `internalPorts`, the
 * NetworkPolicies allow connections through the proxies and connections that bypass the proxies. If `internalPorts`
 * changes, Flux first updates the policies. Then the pods restart one by one. During the restarts, old and new pods
 * must form one Raft group.
 */
function peers(environment: Environment, serviceAccount: string): Client {
  return {
    serviceAccountRef: { namespace: environment.spec.dgraph.namespace, name: serviceAccount },
    ports: ["internal"],
    podSelector: { matchLabels: dgraphLabels(environment) },
  };
}

function listedClients({ spec: { dgraph } }: Environment, of: PodSet["ports"]): Client[] {
  return dgraph.clients.map(({ namespace, serviceAccount, ports }) => ({
    serviceAccountRef: { namespace, name: serviceAccount },
    ports: ports.flatMap((port) => portKey(port, of) ?? []),
  }));
}
