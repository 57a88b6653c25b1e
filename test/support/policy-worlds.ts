import { expect } from "vitest";
import type { LinkerdRelease } from "../../generator/catalog/linkerd.ts";
import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { evaluate } from "../../generator/mesh/evaluate.ts";
import { PolicyIndex } from "../../generator/mesh/policy-index.ts";
import { type Attempt, type Cluster, judge, type Peer, type Verdict } from "./policy-evaluator.ts";

/**
 * Runs the evaluator of meshops for an attempt. The attempt and the returned verdict have the format of the evaluator
 * in `policy-evaluator.ts`.
 */
export function evaluated({ from, to, port, get }: Attempt, { objects }: Cluster, release: LinkerdRelease): Verdict {
  const meshed = from.proxy !== null && !from.proxy.skipOutbound.includes(port);
  const client = {
    namespace: from.namespace,
    labels: from.labels,
    identity: meshed ? { namespace: from.namespace, name: from.serviceAccount } : null,
    ...(from.address === undefined ? {} : { address: from.address }),
    ...(from.kubelet ? { from: "node" as const } : {}),
  };
  const attempt = { from: client, to: podOf(to), port, ...(get === undefined ? {} : { path: get }) };
  const { refusedBy, counted } = evaluate(attempt, objects, { release });
  return refusedBy === null ? (counted ? "counted" : "reached") : refusedBy.layer;
}

/** Returns the verdict on which both evaluators agree for an attempt. Fails if the verdicts differ. */
export function agreed(attempt: Attempt, objects: Cluster["objects"], release: LinkerdRelease): Verdict {
  const cluster = { objects, transportHeader: release.traits.transportHeader };
  const verdict = evaluated(attempt, cluster, release);
  expect(judge(attempt, cluster), JSON.stringify(attempt)).toBe(verdict);
  return verdict;
}

/** Returns all NetworkPolicies, and those policies of Linkerd that `PolicyIndex` finds for a peer. */
export function narrowed(objects: Cluster["objects"], to: Peer): Cluster["objects"] {
  const network = objects.filter(({ kind }) => kind === "NetworkPolicy");
  return [...network, ...new PolicyIndex(objects).affecting(podOf(to))];
}

/**
 * Returns the pod of a peer. If the peer has a proxy, the pod has a proxy container, and annotations with the settings
 * of the proxy.
 */
function podOf({ namespace, labels, proxy, probes, ports = {}, defaultPolicy }: Peer): KubernetesObject {
  const list = (numbers: readonly number[] = []): string => numbers.join(",");
  const containers = ["livenessProbe", "readinessProbe", "startupProbe"];
  const application = {
    name: "application",
    ports: Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort })),
    ...Object.fromEntries(probes.slice(0, 3).map((httpGet, index) => [containers[index], { httpGet }])),
  };
  const others = probes.slice(3).map((httpGet, index) => ({ name: `other-${index}`, livenessProbe: { httpGet } }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "pod",
      namespace,
      labels,
      annotations: {
        "config.linkerd.io/skip-inbound-ports": list(proxy?.skipInbound),
        "config.linkerd.io/opaque-ports": list(proxy?.opaque),
        ...(defaultPolicy === undefined ? {} : { "config.linkerd.io/default-inbound-policy": defaultPolicy }),
      },
    },
    spec: { containers: [application, ...others, ...(proxy === null ? [] : [{ name: "linkerd-proxy" }])] },
  };
}

/** Returns a policy object in the namespace `a`. @param created creation time of the object */
export function policyObject(
  kind: string,
  name: string,
  spec: object,
  created: string = "2026-01-01T00:00:00Z",
): KubernetesObject {
  const group = kind === "NetworkPolicy" ? "networking.k8s.io/v1" : "policy.linkerd.io/v1beta3";
  const metadata = { name, namespace: "a", creationTimestamp: created };
  return { apiVersion: group, kind, metadata, spec } as unknown as KubernetesObject;
}
