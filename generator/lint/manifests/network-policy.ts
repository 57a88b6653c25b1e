import { type LinkerdRelease, proxyPorts } from "../../catalog/linkerd.ts";
import { portKeys } from "../../catalog/well-known.ts";
import { ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { selects } from "../../kubernetes/selectors.ts";
import { listOf, type Workload } from "../../kubernetes/workload.ts";
import { proxyAnnotations } from "../../mesh/meshed.ts";
import { allMeshed, type Direction, type PolicyRule, peersMeshed, reaches, rulesOf } from "../../mesh/network-policy-peers.ts";
import { includes, letsThrough, parsePorts } from "../../mesh/ports.ts";
import { asMap } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./rule.ts";

/** NetworkPolicies around meshed pods. */
export const networkPolicyRules: readonly ManifestRule[] = [
  {
    code: "network-policy-proxy-port",
    severity: "error",
    title: "A NetworkPolicy that forgets the proxy's port",
    why:
      "From 2.18 (edge-25.3.2) on, proxies speak to each other through port 4143, whatever port the application dialled (linkerd.io, “Network policies”). " +
      "A policy that opens only the application's ports blocks every meshed peer, and lets only unmeshed ones in.",
    fix: "Add port 4143 to the rule. Who may use which port is then the business of Server and AuthorizationPolicy.",
    check: forgottenPort,
  },
  {
    code: "egress-without-control-plane",
    severity: "error",
    title: "Meshed pods that cannot reach the control plane",
    why:
      "A proxy fetches its certificate from identity (8080), and endpoints and policy from destination (8086, 8090), all in the namespace linkerd. " +
      "A pod whose egress is limited without them never becomes ready.",
    fix: "Allow egress to the namespace linkerd on 8080, 8086 and 8090 (and DNS).",
    check: lostControlPlane,
  },
];

const policies = (stream: ManifestSet): readonly Manifest[] => stream.ofKind("networking.k8s.io", "NetworkPolicy");

function* forgottenPort(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  if (release?.traits.transportHeader === false) return;
  for (const policy of policies(stream).filter(({ namespace }) => namespace !== "linkerd"))
    for (const direction of ["ingress", "egress"] as const) yield* forgottenBy(policy, direction, stream);
}

function* forgottenBy(policy: Manifest, direction: Direction, stream: ManifestSet): Iterable<ManifestFinding> {
  const pods = stream.selected(policy.namespace, specOf(policy)["podSelector"]);
  const own = allMeshed(pods, stream);
  const rules = rulesOf(policy, direction) ?? [];
  const side = direction === "ingress" ? "from" : "to";
  for (const [index, rule] of own === "no" ? [] : rules.entries()) {
    const peers = peersMeshed(rule[side], policy, stream);
    if (peers === "no" || !isForMesh(rule, direction === "ingress" ? pods : [], stream)) continue;
    if (rules.some((other) => letsThrough(other["ports"], proxyPorts.inbound, pods) && contains(other[side], rule[side])))
      continue;
    const unknown = own === "unknown" || peers === "unknown";
    const way = direction === "ingress" ? "come" : "are reached";
    yield {
      manifest: policy,
      path: ["spec", direction, index, "ports"],
      message: `port ${proxyPorts.inbound} is not open, and meshed peers ${way} by no other${unknown ? " (whether both sides are meshed, these objects do not say)" : ""}`,
      fix: `add {port: ${proxyPorts.inbound}, protocol: TCP}`,
      mild: unknown,
    };
  }
}

/** Whether a rule is about ports of applications that the mesh carries: not the proxy's own, nor ones that bypass it. */
function isForMesh(rule: PolicyRule, pods: readonly Workload[], stream: ManifestSet): boolean {
  const ports = listOf(rule["ports"]).map(asMap);
  const own: readonly unknown[] = [proxyPorts.admin, proxyPorts.control, "linkerd-admin", 53];
  const bypassing = pods.flatMap((pod) => parsePorts(proxyAnnotations(pod, stream)[portKeys.skipInbound]));
  const carried = ports.filter(
    ({ port, protocol = "TCP" }) =>
      protocol === "TCP" && !own.includes(port) && !(typeof port === "number" && includes(bypassing, port)),
  );
  return carried.length > 0 && !letsThrough(ports, proxyPorts.inbound, pods);
}

/** Whether peers of one rule are all among those of another. */
function contains(outer: unknown, inner: unknown): boolean {
  if (listOf(outer).length === 0) return true;
  const known = new Set(listOf(outer).map((peer) => JSON.stringify(peer)));
  return listOf(inner).length > 0 && listOf(inner).every((peer) => known.has(JSON.stringify(peer)));
}

/** Ports of identity, destination and policy (linkerd-control-plane, rendered; the same in all releases). */
const controlPlanePorts = [8080, 8086, 8090];

function* lostControlPlane(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const policy of policies(stream).filter(({ namespace }) => namespace !== "linkerd")) {
    const pods = stream.selected(policy.namespace, specOf(policy)["podSelector"]);
    if (rulesOf(policy, "egress") === null || allMeshed(pods, stream) !== "yes") continue;
    const rules = policies(stream)
      .filter(
        (other) =>
          ManifestSet.mayShareNamespace(other.namespace, policy.namespace) &&
          pods.some(({ labels }) => selects(specOf(other)["podSelector"], labels)),
      )
      .flatMap((other) => rulesOf(other, "egress") ?? [])
      .filter((rule) => reaches(rule["to"], "linkerd", stream));
    const closed = controlPlanePorts.filter(
      (port) => !rules.some((rule) => hasNames(rule) || letsThrough(rule["ports"], port, [])),
    );
    if (closed.length === 0) continue;
    yield {
      manifest: policy,
      path: ["spec", "egress"],
      message: `the proxies cannot reach the namespace linkerd on ${closed.join(", ")}: their pods never become ready`,
      fix: `allow egress to the namespace linkerd on ${controlPlanePorts.join(", ")}`,
    };
  }
}

/** Ports by name are those of the pods on the other side, which the stream need not hold. */
function hasNames(rule: PolicyRule): boolean {
  return listOf(rule["ports"]).some((port) => typeof asMap(port)["port"] === "string");
}
