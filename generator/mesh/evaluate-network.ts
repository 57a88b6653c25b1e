import { namespaceNameLabel } from "../catalog/well-known.ts";
import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt } from "../kubernetes/object-fields.ts";
import { selects, selectsPod } from "../kubernetes/selectors.ts";
import { portNumber } from "../kubernetes/workload.ts";
import type { Attempt } from "./attempt.ts";
import { rulesOf } from "./network-policy-peers.ts";
import { inNetwork, type Network } from "./networks.ts";
import { podContainers } from "./pod.ts";
import { letsThrough } from "./ports.ts";

/** Decision of the network layer: whether NetworkPolicies admit a connection. */
export interface NetworkVerdict {
  readonly admits: boolean;
  /**
   * Port at which the connection arrives at the pod. This is the proxy's inbound port if the proxies of both pods
   * handle the connection, and either the release uses the transport header, or the port is opaque. Otherwise, this is
   * the port to which the client connects.
   */
  readonly port: number;
  /**
   * Names of the NetworkPolicies that select the pod. If no NetworkPolicy selects the pod, all connections are
   * admitted.
   */
  readonly selecting: readonly string[];
  /** Names of the NetworkPolicies that select the pod and admit the connection. */
  readonly admitting: readonly string[];
}

/** @param port port at which the connection arrives at the pod */
export function networkVerdict(attempt: Attempt, port: number, objects: readonly KubernetesObject[]): NetworkVerdict {
  const selecting = objects.filter(
    (policy) => policy.kind === "NetworkPolicy" && selectsPod(policy, attempt.to) && rulesOf(policy["spec"], "ingress") !== null,
  );
  const admitting = selecting.filter(({ spec }) => rulesOf(spec, "ingress")?.some((rule) => admits(rule, attempt, port)));
  const names = (policies: readonly KubernetesObject[]): string[] => policies.map(({ metadata }) => metadata.name);
  return {
    admits: selecting.length === 0 || admitting.length > 0 || attempt.from.from !== undefined,
    port,
    selecting: names(selecting),
    admitting: names(admitting),
  };
}

function admits(rule: unknown, { from, to }: Attempt, port: number): boolean {
  const peers = listAt(rule, "from");
  const isPeer = (peer: unknown): boolean => {
    const block = at(peer, "ipBlock");
    if (block !== undefined) return inNetwork(from.address ?? null, block as Network);
    const namespaces = at(peer, "namespaceSelector");
    const inNamespace =
      namespaces === undefined
        ? from.namespace === to.metadata.namespace
        : selects(namespaces, { ...from.namespaceLabels, [namespaceNameLabel]: from.namespace });
    return inNamespace && selects(at(peer, "podSelector") ?? {}, from.labels);
  };
  const isNamed = (name: string): boolean => portNumber(name, podContainers(to)) === port;
  return (peers.length === 0 || peers.some(isPeer)) && letsThrough(at(rule, "ports"), port, isNamed);
}
