import type { LinkerdTrack } from "../../catalog/linkerd.ts";
import { proxyPorts } from "../../catalog/linkerd.ts";
import { asMap } from "../../data.ts";
import { includes, letsThrough, parsePorts } from "../ports.ts";
import type { Manifest } from "../read.ts";
import type { ManifestFinding, ManifestRule } from "../rule.ts";
import { type Meshed, Stream, specOf } from "../stream.ts";
import { listOf, selects, type Workload } from "../workload.ts";

/** NetworkPolicies around meshed pods. */
export const networkPolicyRules: readonly ManifestRule[] = [
  {
    code: "network-policy-proxy-port",
    severity: "error",
    title: "A NetworkPolicy that forgets the proxy's port",
    why:
      "From 2.18 (edge-25.3.2) on, proxies speak to each other through port 4143, whatever port the application dialled (linkerd.io, “Network policies”). " +
      "A policy that opens only the application's ports blocks every meshed peer, and lets only unmeshed ones in.",
    mend: "Add port 4143 to the rule. Who may use which port is then the business of Server and AuthorizationPolicy.",
    check: forgottenPort,
  },
  {
    code: "egress-without-control-plane",
    severity: "error",
    title: "Meshed pods that cannot reach the control plane",
    why:
      "A proxy fetches its certificate from identity (8080), and endpoints and policy from destination (8086, 8090), all in the namespace linkerd. " +
      "A pod whose egress is limited without them never becomes ready.",
    mend: "Allow egress to the namespace linkerd on 8080, 8086 and 8090 (and DNS).",
    check: lostControlPlane,
  },
];

function* forgottenPort(stream: Stream, track: LinkerdTrack | null): Iterable<ManifestFinding> {
  if (track?.traits.transportHeader === false) return;
  for (const policy of stream.ofKind("networking.k8s.io", "NetworkPolicy"))
    for (const direction of ["ingress", "egress"] as const) yield* forgottenBy(policy, direction, stream);
}

function* forgottenBy(policy: Manifest, direction: "ingress" | "egress", stream: Stream): Iterable<ManifestFinding> {
  const spec = specOf(policy);
  const pods = stream.selected(policy.namespace, spec["podSelector"]);
  const meshed = together(pods, stream);
  if (meshed === "no") return;
  const rules = listOf(spec[direction]).map(asMap);
  const side = direction === "ingress" ? "from" : "to";
  for (const [index, rule] of rules.entries()) {
    if (!concernsPeers(rule, side, policy, stream, direction === "ingress" ? pods : [])) continue;
    const covered = rules.some(
      (other) => letsThrough(other["ports"], proxyPorts.inbound, pods) && contains(other[side], rule[side]),
    );
    if (covered) continue;
    yield {
      manifest: policy,
      path: ["spec", direction, index, "ports"],
      message: `port ${proxyPorts.inbound} is not open, and meshed peers ${direction === "ingress" ? "come" : "are reached"} by no other${
        meshed === "unknown" ? " (if these pods are meshed: the stream does not say)" : ""
      }`,
      hint: `add {port: ${proxyPorts.inbound}, protocol: TCP}`,
      mild: meshed === "unknown",
    };
  }
}

/** Whether a rule is about ports of applications that meshed peers may use: not the proxy's own, nor ones that bypass it. */
function concernsPeers(
  rule: Record<string, unknown>,
  side: "from" | "to",
  policy: Manifest,
  stream: Stream,
  pods: readonly Workload[],
): boolean {
  const ports = listOf(rule["ports"]).map(asMap);
  const own: readonly unknown[] = [proxyPorts.admin, proxyPorts.control, "linkerd-admin"];
  const bypassing = pods.flatMap(({ annotations }) => parsePorts(annotations["config.linkerd.io/skip-inbound-ports"]));
  const through = ports.filter(
    ({ port, protocol = "TCP" }) =>
      protocol === "TCP" && !own.includes(port) && !(typeof port === "number" && includes(bypassing, port)) && port !== 53,
  );
  if (through.length === 0 || letsThrough(ports, proxyPorts.inbound, pods)) return false;
  const peers = listOf(rule[side]).map(asMap);
  // Addresses outside, and the control plane (whose ports its own pods serve unproxied), are no meshed peers.
  return (
    peers.length === 0 ||
    peers.some((peer) => peer["ipBlock"] === undefined && !isControlPlane(peer) && mayBeMeshed(peer, policy, stream))
  );
}

function isControlPlane(peer: Record<string, unknown>): boolean {
  const name = asMap(asMap(peer["namespaceSelector"])["matchLabels"])["kubernetes.io/metadata.name"];
  return typeof name === "string" && /^(linkerd|kube-system)$/.test(name);
}

function mayBeMeshed(peer: Record<string, unknown>, policy: Manifest, stream: Stream): boolean {
  if (peer["namespaceSelector"] !== undefined || peer["podSelector"] === undefined) return true;
  return together(stream.selected(policy.namespace, peer["podSelector"]), stream) !== "no";
}

/** One answer for several workloads: a single meshed one decides. */
function together(pods: readonly Workload[], stream: Stream): Meshed {
  const states = pods.map((pod) => stream.isMeshed(pod));
  if (states.includes("yes")) return "yes";
  return states.length === 0 || states.includes("unknown") ? "unknown" : "no";
}

/** Whether peers of one rule are all among those of another. */
function contains(outer: unknown, inner: unknown): boolean {
  if (listOf(outer).length === 0) return true;
  const known = new Set(listOf(outer).map((peer) => JSON.stringify(peer)));
  return listOf(inner).length > 0 && listOf(inner).every((peer) => known.has(JSON.stringify(peer)));
}

const needed = { identity: 8080, destination: 8086, policy: 8090 } as const;

function* lostControlPlane(stream: Stream): Iterable<ManifestFinding> {
  for (const policy of stream.ofKind("networking.k8s.io", "NetworkPolicy")) {
    const spec = specOf(policy);
    const limitsEgress = listOf(spec["policyTypes"]).includes("Egress") || spec["egress"] !== undefined;
    const pods = stream.selected(policy.namespace, spec["podSelector"]);
    if (!limitsEgress || together(pods, stream) !== "yes" || policy.namespace === "linkerd") continue;
    const rules = stream
      .ofKind("networking.k8s.io", "NetworkPolicy")
      .filter(
        (other) =>
          Stream.together(other.namespace, policy.namespace) &&
          pods.some(({ labels }) => selects(specOf(other)["podSelector"], labels)),
      )
      .flatMap((other) => listOf(specOf(other)["egress"]).map(asMap))
      .filter((rule) => reachesLinkerd(rule["to"]));
    const closed = Object.values(needed).filter((port) => !rules.some((rule) => letsThrough(rule["ports"], port, [])));
    if (closed.length === 0) continue;
    yield {
      manifest: policy,
      path: ["spec", "egress"],
      message: `the proxies cannot reach the namespace linkerd on ${closed.join(", ")}: their pods never become ready`,
      hint: `allow egress to the namespace linkerd on ${Object.values(needed).join(", ")}`,
    };
  }
}

function reachesLinkerd(to: unknown): boolean {
  const labels = {
    "kubernetes.io/metadata.name": "linkerd",
    "linkerd.io/is-control-plane": "true",
    "linkerd.io/control-plane-ns": "linkerd",
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
