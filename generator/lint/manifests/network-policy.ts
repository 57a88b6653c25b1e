import { type LinkerdRelease, proxyPorts } from "../../catalog/linkerd.ts";
import { portKeys, proxyPortNames } from "../../catalog/well-known.ts";
import { chartOf, ManifestSet, specOf } from "../../kubernetes/manifest-set.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { Manifest } from "../../kubernetes/read.ts";
import { selects } from "../../kubernetes/selectors.ts";
import type { Workload } from "../../kubernetes/workload.ts";
import { proxyAnnotations } from "../../mesh/meshed.ts";
import { allMeshed, type Direction, type PolicyRule, peersMeshed, reaches, rulesOf } from "../../mesh/network-policy-peers.ts";
import { includes, letsThrough, parsePorts, resolvePort } from "../../mesh/ports.ts";
import { canonicalJson } from "../../system/canonical.ts";
import { asMap, listOf } from "../../system/data.ts";
import type { ManifestFinding, ManifestRule } from "./manifest-rule.ts";

/** Rules about NetworkPolicies of meshed pods. */
export const networkPolicyRules: readonly ManifestRule[] = [
  {
    code: "network-policy-proxy-port",
    severity: "error",
    title: "A NetworkPolicy does not allow the proxy's port",
    why:
      "From Linkerd 2.18 (edge-25.3.2) on, the client's proxy connects to port 4143 of the server's proxy, and not to the port of the application (linkerd.io, “Network policies”). " +
      "A NetworkPolicy that allows only the application's ports therefore blocks all meshed clients, and admits only clients without a proxy.",
    fix: "Add port 4143 to the ports of the NetworkPolicy's rule. To admit different clients to different ports, use Servers and AuthorizationPolicies.",
    check: missingProxyPort,
  },
  {
    code: "egress-without-control-plane",
    severity: "error",
    title: "Meshed pods cannot reach the control plane",
    why:
      "A proxy gets its certificate from the identity controller (port 8080), endpoints from the destination controller (port 8086) and policies from the policy controller (port 8090). These controllers run in the namespace linkerd. " +
      "If NetworkPolicies restrict the egress of a pod and do not allow these ports, the pod never becomes ready.",
    fix: "Allow egress to the namespace linkerd on ports 8080, 8086 and 8090, and egress to the cluster's DNS.",
    check: unreachableControlPlane,
  },
  {
    code: "network-policy-without-viz",
    severity: "warning",
    title: "A NetworkPolicy blocks connections from linkerd-viz",
    why: "Prometheus in the namespace linkerd-viz reads the metrics of each proxy at port 4191. Tap connects to port 4190 of the proxy. If the NetworkPolicies of a pod do not allow connections from the namespace linkerd-viz, viz shows no metrics of the pod (linkerd2#5853, linkerd-viz#58).",
    fix: "Allow connections from the namespace linkerd-viz to the ports 4190 and 4191.",
    check: refusesViz,
  },
  {
    code: "network-policies-add-up",
    severity: "warning",
    title: "A NetworkPolicy admits all clients to pods that another NetworkPolicy protects",
    why: "A connection is allowed if at least one NetworkPolicy allows the connection. If a chart installs a NetworkPolicy that admits all clients, your own NetworkPolicies have no effect for these pods.",
    fix: "Remove the NetworkPolicy that admits all clients. Many charts have a value that disables their NetworkPolicy, such as `networkPolicy.enabled: false`.",
    check: opensAgain,
  },
];

const policies = (stream: ManifestSet): readonly Manifest[] => stream.ofKind("networking.k8s.io", "NetworkPolicy");

function* missingProxyPort(stream: ManifestSet, release: LinkerdRelease | null): Iterable<ManifestFinding> {
  if (release?.traits.transportHeader === false) return;
  for (const policy of policies(stream).filter(({ namespace }) => namespace !== "linkerd"))
    for (const direction of ["ingress", "egress"] as const) yield* missingProxyPortIn(policy, direction, stream);
}

function* missingProxyPortIn(policy: Manifest, direction: Direction, stream: ManifestSet): Iterable<ManifestFinding> {
  const pods = stream.selected(policy, specOf(policy)["podSelector"]);
  const own = allMeshed(pods, stream);
  const isProxyPort = (name: string): boolean => isInbound(name, pods);
  const rules = rulesOf(specOf(policy), direction) ?? [];
  const side = direction === "ingress" ? "from" : "to";
  for (const [index, rule] of own === "no" ? [] : rules.entries()) {
    const peers = peersMeshed(rule[side], policy, stream);
    if (peers === "no" || !isForMesh(rule, direction === "ingress" ? pods : [], stream)) continue;
    if (rules.some((other) => letsThrough(other["ports"], proxyPorts.inbound, isProxyPort) && contains(other[side], rule[side])))
      continue;
    const unknown = own === "unknown" || peers === "unknown";
    const peer =
      direction === "ingress" ? "meshed clients connect to this port" : "proxies connect to this port of meshed servers";
    yield {
      manifest: policy,
      path: ["spec", direction, index, "ports"],
      message: `this rule does not allow port ${proxyPorts.inbound}, but ${peer}${unknown ? ". The checked objects do not show whether the client and the server are meshed" : ""}`,
      fix: `add {port: ${proxyPorts.inbound}, protocol: TCP}`,
      severityOverride: unknown,
    };
  }
}

/**
 * Whether a rule allows application ports whose traffic passes through the proxy, but does not allow the proxy's
 * inbound port. Ignores the other ports of the proxy, DNS, and skipped ports.
 */
function isForMesh(rule: PolicyRule, pods: readonly Workload[], stream: ManifestSet): boolean {
  const ports = listOf(rule["ports"]).map(asMap);
  const own: readonly unknown[] = [proxyPorts.admin, proxyPorts.control, proxyPortNames.admin, 53];
  const bypassing = pods.flatMap((pod) => parsePorts(proxyAnnotations(pod, stream)[portKeys.skipInbound]));
  const carried = ports.filter(
    ({ port, protocol = "TCP" }) =>
      protocol === "TCP" && !own.includes(port) && !(typeof port === "number" && includes(bypassing, port)),
  );
  return carried.length > 0 && !letsThrough(ports, proxyPorts.inbound, (name) => isInbound(name, pods));
}

/** Whether a port name in a NetworkPolicy refers to the proxy's inbound port. */
function isInbound(name: string, pods: readonly Workload[]): boolean {
  // The name of the port in the injected container (linkerd2, pkg/k8s/labels.go).
  return name === proxyPortNames.inbound || pods.some((pod) => resolvePort(name, pod) === proxyPorts.inbound);
}

/**
 * Whether all peers in the list `inner` are also in the list `outer`. If the list `outer` is empty, it allows all
 * peers, so the result is true.
 */
function contains(outer: unknown, inner: unknown): boolean {
  if (listOf(outer).length === 0) return true;
  const known = new Set(listOf(outer).map((peer) => canonicalJson(peer)));
  return listOf(inner).length > 0 && listOf(inner).every((peer) => known.has(canonicalJson(peer)));
}

const vizNamespace = "linkerd-viz";

/**
 * Whether the objects show that linkerd-viz is installed. Such an object is the namespace of linkerd-viz, a workload in
 * this namespace, or a HelmRelease of the chart linkerd-viz.
 */
function hasViz(stream: ManifestSet): boolean {
  return (
    stream.namespaceOf(vizNamespace) !== null ||
    stream.workloads.some(({ manifest }) => manifest.namespace === vizNamespace) ||
    stream.ofKind("helm.toolkit.fluxcd.io", "HelmRelease").some((release) => chartOf(release)["chart"] === vizNamespace)
  );
}

/** Returns the NetworkPolicies that select at least one of the pods that `policy` selects. */
function policiesOfSamePods(policy: Manifest, stream: ManifestSet): Manifest[] {
  const pods = stream.selected(policy, specOf(policy)["podSelector"]);
  return policies(stream).filter(
    (other) =>
      ManifestSet.sharesNamespace(policy, other) && pods.some(({ labels }) => selects(specOf(other)["podSelector"], labels)),
  );
}

/**
 * Returns the ingress rules of all NetworkPolicies that apply to the pods of a policy. Each entry of the result
 * contains a rule, the NetworkPolicy with this rule, and the index of the rule in this NetworkPolicy.
 */
function ingressRules(policy: Manifest, stream: ManifestSet): readonly { rule: PolicyRule; policy: Manifest; index: number }[] {
  return policiesOfSamePods(policy, stream).flatMap((other) =>
    (rulesOf(specOf(other), "ingress") ?? []).map((rule, index) => ({ rule, policy: other, index })),
  );
}

function* refusesViz(stream: ManifestSet): Iterable<ManifestFinding> {
  if (!hasViz(stream)) return;
  const told = new Set<string>();
  for (const manifest of policies(stream).filter(({ namespace }) => ![vizNamespace, "linkerd"].includes(namespace))) {
    const pods = stream.selected(manifest, specOf(manifest)["podSelector"]);
    if (rulesOf(specOf(manifest), "ingress") === null || allMeshed(pods, stream) !== "yes") continue;
    const admitted = ingressRules(manifest, stream).some(
      ({ rule }) =>
        reaches(rule["from"], vizNamespace, stream) &&
        letsThrough(rule["ports"], proxyPorts.admin, (name) => name === proxyPortNames.admin),
    );
    const key = namesOf(pods);
    if (admitted || told.has(key)) continue;
    told.add(key);
    yield {
      manifest,
      path: ["spec", "podSelector"],
      part: "key",
      message: `NetworkPolicies do not allow the namespace ${vizNamespace} to connect to port ${proxyPorts.admin} of these meshed pods. linkerd-viz then shows no metrics of these pods`,
      fix: `allow connections from the namespace ${vizNamespace} to the ports ${proxyPorts.control} and ${proxyPorts.admin}`,
    };
  }
}

function* opensAgain(stream: ManifestSet): Iterable<ManifestFinding> {
  for (const manifest of policies(stream)) {
    const pods = stream.selected(manifest, specOf(manifest)["podSelector"]);
    if (allMeshed(pods, stream) !== "yes") continue;
    const open = (rulesOf(specOf(manifest), "ingress") ?? []).findIndex((rule) => listOf(rule["from"]).length === 0);
    if (open < 0) continue;
    const strict = ingressRules(manifest, stream).find(
      ({ rule, policy }) => policy !== manifest && listOf(rule["from"]).length > 0,
    );
    if (strict === undefined) continue;
    yield {
      manifest,
      path: ["spec", "ingress", open],
      message: `this rule admits all clients, although NetworkPolicy ${strict.policy.name} restricts the clients of the same pods. Kubernetes allows a connection if at least one NetworkPolicy allows it`,
      fix: "remove this NetworkPolicy, or list the allowed clients in spec.ingress[].from",
    };
  }
}

/** Ports of the identity, destination and policy controllers. All releases have the same ports (rendered charts). */
const controlPlanePorts = [8080, 8086, 8090];

function* unreachableControlPlane(stream: ManifestSet): Iterable<ManifestFinding> {
  const told = new Set<string>();
  for (const policy of policies(stream).filter(({ namespace }) => namespace !== "linkerd")) {
    const pods = stream.selected(policy, specOf(policy)["podSelector"]);
    if (rulesOf(specOf(policy), "egress") === null || allMeshed(pods, stream) !== "yes") continue;
    const rules = policiesOfSamePods(policy, stream)
      .flatMap((other) => rulesOf(specOf(other), "egress") ?? [])
      .filter((rule) => reaches(rule["to"], "linkerd", stream));
    const closed = controlPlanePorts.filter(
      (port) => !rules.some((rule) => hasNames(rule) || letsThrough(rule["ports"], port, () => false)),
    );
    const key = namesOf(pods);
    if (closed.length === 0 || told.has(key)) continue;
    told.add(key);
    yield {
      manifest: policy,
      path: ["spec", "egress"],
      message: `these pods never become ready, because their proxies cannot connect to these ports in the namespace linkerd: ${closed.join(", ")}`,
      fix: `allow egress to the namespace linkerd on these ports: ${controlPlanePorts.join(", ")}`,
    };
  }
}

/**
 * Whether a rule has named ports. In an egress rule, a named port refers to a container port of the peers. meshops
 * cannot determine the port number if the checked objects do not contain the peers.
 */
function hasNames(rule: PolicyRule): boolean {
  return listOf(rule["ports"]).some((port) => typeof at(port, "port") === "string");
}

/**
 * Returns the names of the given workloads as one text. Two NetworkPolicies that select the same workloads have the
 * same text. The rules compare the texts to report such NetworkPolicies only once.
 */
function namesOf(pods: readonly Workload[]): string {
  return pods.map(({ manifest: { namespace, name } }) => `${namespace}/${name}`).join();
}
