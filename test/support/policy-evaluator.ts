import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { field } from "./objects.ts";

/*
 * Predicts whether a connection succeeds in a cluster with NetworkPolicies and Linkerd. The code is based on the
 * specifications and not on the generator: Kubernetes' NetworkPolicy (networking.k8s.io/v1), Linkerd's endpoint hints
 * (linkerd2, controller/api/destination/endpoint_translator.go), and Linkerd's inbound policy
 * (policy-controller/k8s/index/src/inbound/index.rs). Throws an error if a policy uses a feature that is not supported
 * here.
 */

/** One end of a connection: a pod, or the kubelet of a node, which is not a pod. */
export interface Peer {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Null if the pod has no proxy, whatever the labels of the pod are. */
  readonly proxy: Sidecar | null;
  /** HTTP probes of the pod's containers. */
  readonly probes: readonly { readonly port: number; readonly path: string }[];
  readonly kubelet: boolean;
}

export interface Sidecar {
  readonly opaque: readonly number[];
  readonly skipInbound: readonly number[];
  readonly skipOutbound: readonly number[];
}

export interface Attempt {
  readonly from: Peer;
  readonly to: Peer;
  /** The port to which the client connects: a port of the application or of the proxy. */
  readonly port: number;
  /** Path of a `GET` request, if the port serves HTTP. */
  readonly get?: string;
}

export interface Cluster {
  /** NetworkPolicies, Servers, AuthorizationPolicies and MeshTLSAuthentications. */
  readonly objects: readonly KubernetesObject[];
  /** Whether proxies use the transport header for all connections (Linkerd 2.18 and later). */
  readonly transportHeader: boolean;
}

/**
 * `network`: packets do not arrive. `mesh`: the proxy rejects the connection. `reached`: the application or the proxy's
 * own server answers.
 */
export type Verdict = "network" | "mesh" | "reached";

const proxyPort = { inbound: 4143, tap: 4190, admin: 4191 } as const;
const ownPorts: readonly number[] = [proxyPort.tap, proxyPort.admin];

export function judge(attempt: Attempt, cluster: Cluster): Verdict {
  checkModelled(cluster);
  const meshed = isMeshed(attempt);
  if (!networkAllows(attempt, wirePort(attempt, meshed, cluster), cluster)) return "network";
  const { from, to, port } = attempt;
  if (to.proxy === null || to.proxy.skipInbound.includes(port)) return "reached";
  if (port === proxyPort.admin) return "reached";
  const identity = meshed ? `${from.serviceAccount}.${from.namespace}` : null;
  if (port === proxyPort.tap) return identity === "tap.linkerd-viz" ? "reached" : "mesh";
  // The inbound port itself accepts only connections that proxies open, with TLS and a transport header.
  if (port === proxyPort.inbound) return "mesh";
  return proxyAllows(attempt, identity, cluster) ? "reached" : "mesh";
}

/** Whether the proxies of the client and the server use mutual TLS for the connection. */
function isMeshed({ from, to, port }: Attempt): boolean {
  return (
    from.proxy !== null && to.proxy !== null && !from.proxy.skipOutbound.includes(port) && !to.proxy.skipInbound.includes(port)
  );
}

/**
 * Returns the destination port of the packets. If the client's proxy uses the transport header, it connects to the
 * inbound port of the server's proxy. It uses the transport header for every port if `transportHeader` is true,
 * otherwise only for opaque ports.
 */
function wirePort({ to, port }: Attempt, meshed: boolean, cluster: Cluster): number {
  if (!meshed || ownPorts.includes(port)) return port;
  const opaque = to.proxy?.opaque.includes(port) === true || serverOf(to, port, cluster)?.protocol === "opaque";
  return cluster.transportHeader || opaque ? proxyPort.inbound : port;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

/**
 * Throws an error for a feature that could change a verdict but is not supported here, so that no test passes by
 * accident.
 */
function refuse(what: string): never {
  throw new Error(`${what} is not modelled`);
}

const modelled = new Set(["NetworkPolicy", "Server", "AuthorizationPolicy", "MeshTLSAuthentication"]);

function checkModelled({ objects }: Cluster): void {
  for (const { kind, spec } of objects) {
    if (!modelled.has(kind)) refuse(kind);
    const types = field(spec, "policyTypes") as string[] | undefined;
    for (const unknown of ["matchExpressions", "ipBlock", "endPort"]) if (JSON.stringify(spec).includes(unknown)) refuse(unknown);
    if (kind === "NetworkPolicy" && (types?.includes("Egress") === true || field(spec, "egress") !== undefined)) refuse("egress");
    if (kind === "Server" && typeof field(spec, "port") !== "number") refuse("a Server's named port");
    if (kind === "Server" && field(spec, "accessPolicy") !== undefined) refuse("accessPolicy");
    if (kind === "AuthorizationPolicy" && field(spec, "targetRef", "kind") !== "Server") refuse("a target that is not a Server");
    if (kind === "MeshTLSAuthentication" && field(spec, "identities") !== undefined) refuse("identities");
    const references = (field(spec, "identityRefs") ?? []) as { kind: string; name?: string }[];
    if (references.some((reference) => reference.kind !== "ServiceAccount" || reference.name === undefined))
      refuse("an identity that is not a service account");
  }
}

/** Whether a selector selects labels. An empty selector selects all labels. */
function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

interface Ingress {
  readonly from?: readonly {
    readonly podSelector?: Selector;
    readonly namespaceSelector?: Selector;
    readonly ipBlock?: unknown;
  }[];
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[];
}

/** Policies that select a pod deny all traffic that no policy allows. A node can always connect to its own pods. */
function networkAllows({ from, to }: Attempt, port: number, { objects }: Cluster): boolean {
  const policies = objects.filter(
    (object) =>
      object.kind === "NetworkPolicy" &&
      object.metadata.namespace === to.namespace &&
      selects(field(object, "spec", "podSelector") as Selector, to.labels) &&
      ((field(object, "spec", "policyTypes") ?? ["Ingress"]) as string[]).includes("Ingress"),
  );
  if (policies.length === 0 || from.kubelet) return true;
  return policies
    .flatMap((policy) => (field(policy, "spec", "ingress") ?? []) as Ingress[])
    .some((rule) => fromMatches(rule, from, to.namespace) && portMatches(rule, port));
}

function fromMatches({ from: peers }: Ingress, from: Peer, ownNamespace: string): boolean {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some(({ podSelector, namespaceSelector }) => {
    const inNamespace =
      namespaceSelector === undefined
        ? from.namespace === ownNamespace
        : selects(namespaceSelector, { "kubernetes.io/metadata.name": from.namespace });
    return inNamespace && (podSelector === undefined || selects(podSelector, from.labels));
  });
}

function portMatches({ ports }: Ingress, port: number): boolean {
  return (
    ports === undefined ||
    ports.length === 0 ||
    ports.some((allowed) => allowed.port === port && (allowed.protocol ?? "TCP") === "TCP")
  );
}

/** Returns the Server for a port of a pod. Linkerd's validator rejects a second Server for the same port. */
function serverOf(pod: Peer, port: number, { objects }: Cluster): { readonly name: string; readonly protocol: string } | null {
  const servers = objects.filter(
    (object) =>
      object.kind === "Server" &&
      object.metadata.namespace === pod.namespace &&
      selects(field(object, "spec", "podSelector") as Selector, pod.labels) &&
      field(object, "spec", "port") === port,
  );
  if (servers.length > 1) throw new Error(`two Servers on port ${port}`);
  const [server] = servers;
  return server === undefined
    ? null
    : { name: server.metadata.name, protocol: String(field(server, "spec", "proxyProtocol") ?? "unknown") };
}

/**
 * Whether a proxy allows a connection. Without a Server, the default policy applies, which allows all clients. With a
 * Server, the proxy allows only the clients that a policy lists, and GET requests on the paths of HTTP probes.
 */
function proxyAllows({ to, port, get }: Attempt, identity: string | null, cluster: Cluster): boolean {
  const server = serverOf(to, port, cluster);
  if (server === null) return true;
  // A port with an HTTP protocol rejects opaque connections (linkerd2-proxy, inbound/src/policy/tcp.rs).
  const arrivesOpaque = identity !== null && to.proxy?.opaque.includes(port) === true;
  if (arrivesOpaque && /^(HTTP|gRPC)/.test(server.protocol)) return false;
  const http = server.protocol === "unknown" || server.protocol.startsWith("HTTP/");
  const path = get?.split("?")[0];
  if (http && to.probes.some((probe) => probe.port === port && probe.path.split("?")[0] === path)) return true;
  return cluster.objects
    .filter(
      (object) =>
        object.kind === "AuthorizationPolicy" &&
        object.metadata.namespace === to.namespace &&
        field(object, "spec", "targetRef", "name") === server.name,
    )
    .some((policy) =>
      (field(policy, "spec", "requiredAuthenticationRefs") as { kind: string; name: string }[]).every((reference) =>
        authenticates(reference, identity, to.namespace, cluster),
      ),
    );
}

function authenticates(
  { kind, name }: { readonly kind: string; readonly name: string },
  identity: string | null,
  namespace: string,
  { objects }: Cluster,
): boolean {
  if (kind !== "MeshTLSAuthentication") refuse(kind);
  const found = objects.find(
    (object) => object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace,
  );
  const accounts = (field(found, "spec", "identityRefs") ?? []) as { kind: string; name: string; namespace: string }[];
  return accounts.some((account) => account.kind === "ServiceAccount" && `${account.name}.${account.namespace}` === identity);
}
