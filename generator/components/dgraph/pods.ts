import { type DgraphRole, dgraphChart, dgraphPorts } from "../../catalog/dgraph.ts";
import type { Client, PodSet, Port } from "../../mesh/pod-set.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { dgraphLabels, dgraphName } from "./names.ts";

/** Dgraph's pods: the Alphas, which serve clients, and the Zeros, which coordinate them. `/health` of Alpha is a probe's path, and so public. */
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
      clients: [peers(environment, serviceAccount), ...(role === "alpha" ? listedClients(environment) : [])],
    },
  };
}

/**
 * Not gRPC in mode mesh: a proxy refuses opaque connections to such a port (linkerd2-proxy, inbound/src/policy/tcp.rs), and pods that are being
 * restarted from or to mode opaque send them.
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
 * Alphas and Zeros among themselves, through their proxies or past them. Both ways are open in every mode: pods restart one by one when the mode
 * changes, old and new ones must form one Raft group, and the policy changes only afterwards.
 */
function peers(environment: Environment, serviceAccount: string): Client {
  return {
    serviceAccountRef: { namespace: environment.spec.dgraph.namespace, name: serviceAccount },
    ports: ["internal"],
    podSelector: { matchLabels: dgraphLabels(environment) },
  };
}

function listedClients({ spec: { dgraph } }: Environment): Client[] {
  return dgraph.clients.map(({ namespace, serviceAccount, ports }) => ({
    serviceAccountRef: { namespace, name: serviceAccount },
    ports,
  }));
}
