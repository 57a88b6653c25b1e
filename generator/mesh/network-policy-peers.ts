import { meshedLabel, namespaceNameLabel } from "../catalog/well-known.ts";
import type { ManifestSet } from "../kubernetes/manifest-set.ts";
import { mapAt } from "../kubernetes/object-fields.ts";
import type { Manifest } from "../kubernetes/read.ts";
import { selects } from "../kubernetes/selectors.ts";
import type { Workload } from "../kubernetes/workload.ts";
import { asMap, listOf } from "../system/data.ts";
import { type Meshed, workloadIsMeshed } from "./meshed.ts";

export type Direction = "ingress" | "egress";

/** A rule of a NetworkPolicy. */
export type PolicyRule = Readonly<Record<string, unknown>>;

/**
 * Returns the rules for ingress or egress in the spec of a NetworkPolicy. Returns null if the policy does not restrict
 * this direction (Kubernetes API, NetworkPolicySpec, policyTypes).
 */
export function rulesOf(spec: unknown, direction: Direction): readonly PolicyRule[] | null {
  const { policyTypes, [direction]: rules } = asMap(spec);
  const named = direction === "ingress" ? "Ingress" : "Egress";
  const limits = Array.isArray(policyTypes) ? policyTypes.includes(named) : direction === "ingress" || listOf(rules).length > 0;
  return limits ? listOf(rules).map(asMap) : null;
}

/**
 * Whether at least one peer of a rule has a proxy. Assumes that IP blocks, and pods in the namespaces `linkerd` and
 * `kube-system`, have no proxy. Returns `unknown` if the rule lists no peers.
 */
export function peersMeshed(peers: unknown, policy: Manifest, stream: ManifestSet): Meshed {
  const list = listOf(peers).map(asMap);
  if (list.length === 0) return "unknown";
  const states = list.map((peer) => peerMeshed(peer, policy, stream));
  return states.includes("yes") ? "yes" : states.includes("unknown") ? "unknown" : "no";
}

function peerMeshed(peer: PolicyRule, policy: Manifest, stream: ManifestSet): Meshed {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  const namespace = mapAt(namespaceSelector, "matchLabels")[namespaceNameLabel];
  if (ipBlock !== undefined || namespace === "linkerd" || namespace === "kube-system") return "no";
  const pods = stream
    .maybeSelected("", podSelector)
    .filter(({ manifest }) =>
      namespaceSelector === undefined
        ? manifest.namespace === policy.namespace
        : selects(namespaceSelector, stream.namespaceLabels(manifest.namespace, manifest)),
    );
  return allMeshed(pods, stream);
}

/**
 * Returns `yes` if at least one workload is meshed, and `no` if all workloads are known to have no proxy. Returns
 * `unknown` in all other cases, and if the list is empty.
 */
export function allMeshed(pods: readonly Workload[], stream: ManifestSet): Meshed {
  const states = pods.map((pod) => workloadIsMeshed(pod, stream));
  if (states.includes("yes")) return "yes";
  return states.length === 0 || states.includes("unknown") ? "unknown" : "no";
}

/**
 * Whether the peers of a rule include the pods of a namespace. A rule without peers includes all pods. Assumes that an
 * IP block contains the pods of the namespace.
 */
export function reaches(to: unknown, namespace: string, stream: ManifestSet): boolean {
  const labels = {
    "linkerd.io/is-control-plane": "true",
    [meshedLabel]: namespace,
    ...stream.namespaceLabels(namespace),
  };
  const peers = listOf(to).map(asMap);
  return (
    peers.length === 0 ||
    peers.some(
      ({ namespaceSelector, ipBlock }) =>
        ipBlock !== undefined || (namespaceSelector !== undefined && selects(namespaceSelector, labels)),
    )
  );
}
