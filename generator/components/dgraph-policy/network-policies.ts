import { type DgraphRole, dgraphPorts } from "../../catalog/dgraph.ts";
import { type LinkerdRelease, proxyPorts } from "../../catalog/linkerd.ts";
import type { JsonMap, KubernetesObject } from "../../kubernetes/object.ts";
import { allow, arrivalPorts, fromViz, ingressPolicy, meshedPods } from "../../mesh/network-policy.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { groupBy } from "../../system/data.ts";
import { dgraphLabels, dgraphName } from "../dgraph/names.ts";

/** NetworkPolicies that let only Dgraph's own pods, the listed clients and viz reach Dgraph. */
export function dgraphNetworkPolicies(environment: Environment, track: LinkerdRelease): KubernetesObject[] {
  const viz = environment.spec.linkerd.viz.enabled ? fromViz() : [];
  return [policy(environment, "alpha", [...clients(environment, track), ...viz]), policy(environment, "zero", viz)];
}

function policy(environment: Environment, role: DgraphRole, ingress: readonly JsonMap[]): KubernetesObject {
  const metadata = { name: dgraphName(environment, role), namespace: environment.spec.dgraph.namespace };
  return ingressPolicy(metadata, { matchLabels: dgraphLabels(environment, role) }, [peers(environment, role), ...ingress]);
}

/**
 * Alpha and Zero among themselves: by the proxy, or directly where `internalPorts` is skip. Both ways are open in every mode: pods roll
 * one by one when the mode changes, the new and the old must form one Raft group, and the policy changes only after they have.
 */
function peers(environment: Environment, role: DgraphRole): JsonMap {
  return allow([{ podSelector: { matchLabels: dgraphLabels(environment) } }], [proxyPorts.inbound, dgraphPorts[role].internal]);
}

/** Meshed pods of the clients' namespaces. */
function clients({ spec: { dgraph } }: Environment, track: LinkerdRelease): JsonMap[] {
  return [...groupBy(dgraph.clients, ({ namespace }) => namespace)].map(([namespace, own]) => {
    const ports = own.flatMap((client) => client.ports.map((port) => dgraphPorts.alpha[port]));
    return allow([meshedPods(namespace)], arrivalPorts(ports, track));
  });
}
