import type { KubernetesObject } from "../../generator/kubernetes/object.ts";
import { field } from "./objects.ts";

/*
 * Predicts whether a connection succeeds in a cluster with NetworkPolicies and Linkerd. This evaluator does not use
 * code of the generator. It is based on three sources: Kubernetes' NetworkPolicy (networking.k8s.io/v1), Linkerd's
 * endpoint hints (linkerd2, controller/api/destination/endpoint_translator.go), and Linkerd's inbound policy
 * (policy-controller/k8s/index/src/inbound/index.rs). The evaluator throws an error if a policy uses a feature that the
 * evaluator does not support.
 */

/** One end of a connection. The end is a pod or the kubelet of a node. The kubelet does not run in a pod. */
export interface Peer {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Settings of the proxy; null if the pod has no proxy. A pod can have the labels of a meshed pod but no proxy. */
  readonly proxy: Sidecar | null;
  /** IP address; undefined if the result does not depend on the address. */
  readonly address?: string;
  /** Numbers of the named container ports, keyed by the name of the port. */
  readonly ports?: Readonly<Record<string, number>>;
  /** Default inbound policy of the pod (default: all-unauthenticated). */
  readonly defaultPolicy?: string;
  /** HTTP probes of the pod's containers. */
  readonly probes: readonly { readonly port: number; readonly path: string }[];
  /** Whether this end is the kubelet. */
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
  /** The port to which the client connects. The port belongs to the application or to the server's proxy. */
  readonly port: number;
  /** Path of a `GET` request; undefined if the path is unknown or the client sends no such request. */
  readonly get?: string;
}

export interface Cluster {
  /** NetworkPolicies, Servers, AuthorizationPolicies and MeshTLSAuthentications. */
  readonly objects: readonly KubernetesObject[];
  /** Whether proxies use the transport header for all connections (Linkerd 2.18 and later). */
  readonly transportHeader: boolean;
}

/**
 * The result of an attempt:
 *
 * - `network`: a NetworkPolicy blocks the packets.
 * - `mesh`: the server's proxy rejects the connection or the request.
 * - `reached`: the application, or a server inside the server's proxy, answers.
 * - `counted`: the application answers, and the server's proxy counts the client because of the policy `audit`.
 */
export type Verdict = "network" | "mesh" | "reached" | "counted";

const proxyPort = { inbound: 4143, tap: 4190, admin: 4191 } as const;
const ownPorts: readonly number[] = [proxyPort.tap, proxyPort.admin];

export function judge(attempt: Attempt, cluster: Cluster): Verdict {
  checkModelled(cluster);
  const meshed = isMeshed(attempt);
  if (!networkAllows(attempt, wirePort(attempt, meshed, cluster), cluster)) return "network";
  const { from, to, port } = attempt;
  if (to.proxy === null || to.proxy.skipInbound.includes(port)) return "reached";
  const identity = meshed ? `${from.serviceAccount}.${from.namespace}` : null;
  if (port === proxyPort.tap) return identity === "tap.linkerd-viz" ? "reached" : "mesh";
  // The inbound port of the proxy accepts only connections from other proxies, with TLS and a transport header.
  if (port === proxyPort.inbound) return "mesh";
  return atProxy(attempt, identity, cluster);
}

/** Returns whether the proxies of the client and the server use mutual TLS for the connection. */
function isMeshed({ from, to, port }: Attempt): boolean {
  return (
    from.proxy !== null && to.proxy !== null && !from.proxy.skipOutbound.includes(port) && !to.proxy.skipInbound.includes(port)
  );
}

/**
 * Returns the destination port of the packets. A client's proxy that uses the transport header connects to the inbound
 * port of the server's proxy instead of the port of the attempt. If the cluster's `transportHeader` is true, the
 * client's proxy uses the transport header for every port except the proxy's own ports. Otherwise, the client's proxy
 * uses the transport header only for opaque ports.
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
 * Throws an error about a feature that this evaluator does not support. If the evaluator ignored such a feature, a
 * verdict could be wrong, and a test could pass by accident.
 */
function refuse(what: string): never {
  throw new Error(`${what} is not modelled`);
}

const modelled = new Set([
  "NetworkPolicy",
  "Server",
  "AuthorizationPolicy",
  "MeshTLSAuthentication",
  "NetworkAuthentication",
  "HTTPRoute",
]);

function checkModelled({ objects }: Cluster): void {
  for (const { kind, spec } of objects) {
    if (!modelled.has(kind)) refuse(kind);
    const types = field(spec, "policyTypes") as string[] | undefined;
    for (const unknown of ["matchExpressions", "endPort"]) if (JSON.stringify(spec).includes(unknown)) refuse(unknown);
    if (kind === "NetworkPolicy" && (types?.includes("Egress") === true || field(spec, "egress") !== undefined)) refuse("egress");
  }
}

/** Returns whether a selector selects objects with the given labels. An empty selector selects all objects. */
function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

interface Block {
  readonly cidr: string;
  readonly except?: readonly string[];
}

/**
 * Returns whether an IPv4 address is in a CIDR block. Converts both addresses to texts of the digits 0 and 1, and
 * compares these texts.
 */
function inBlock({ cidr, except = [] }: Block, address: string | undefined): boolean {
  if (address === undefined) return false;
  const bits = (ip: string): string =>
    ip
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  const within = (network: string): boolean => {
    const [base = "", length = "32"] = network.split("/");
    return bits(address).startsWith(bits(base).slice(0, Number(length)));
  };
  return within(cidr) && !except.some(within);
}

interface Ingress {
  readonly from?: readonly {
    readonly podSelector?: Selector;
    readonly namespaceSelector?: Selector;
    readonly ipBlock?: Block;
  }[];
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[];
}

/**
 * Returns whether the NetworkPolicies allow the packets. If at least one policy selects the server's pod, the policies
 * deny all traffic that none of them allows. The kubelet can always connect, because a node can always connect to the
 * pods that run on it.
 */
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
  return peers.some(({ podSelector, namespaceSelector, ipBlock }) => {
    if (ipBlock !== undefined) return inBlock(ipBlock, from.address);
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

interface ServerFacts {
  readonly name: string;
  readonly namespace: string;
  readonly protocol: string;
  readonly accessPolicy: string;
}

/**
 * Returns the Server that applies to a port of a pod. If several Servers select the port, returns the oldest Server. If
 * no Server selects the port, returns null.
 */
function serverOf(pod: Peer, port: number, { objects }: Cluster): ServerFacts | null {
  let chosen: KubernetesObject | null = null;
  for (const object of objects) {
    if (object.kind !== "Server" || object.metadata.namespace !== pod.namespace) continue;
    if (!selects((field(object, "spec", "podSelector") ?? {}) as Selector, pod.labels)) continue;
    const own = field(object, "spec", "port");
    if ((typeof own === "string" ? pod.ports?.[own] : own) !== port) continue;
    if (chosen === null || born(object) < born(chosen)) chosen = object;
  }
  return chosen === null
    ? null
    : {
        name: chosen.metadata.name,
        namespace: pod.namespace,
        protocol: String(field(chosen, "spec", "proxyProtocol") ?? "unknown"),
        accessPolicy: String(field(chosen, "spec", "accessPolicy") ?? "deny"),
      };
}

function born(object: KubernetesObject): string {
  return String(field(object, "metadata", "creationTimestamp") ?? "");
}

/** The identity and the address of a client, as the server's proxy determines them. */
interface Caller {
  readonly identity: string | null;
  readonly address: string | undefined;
}

/**
 * Returns the verdict of the server's proxy. The proxy applies the Server of the port. If there is no Server, the proxy
 * applies the default policy of the pod. If the Server has routes, these routes replace the automatic routes for
 * probes. If no route of the Server matches a request, the proxy answers with 404, and the verdict is `mesh`.
 */
function atProxy({ from, to, port, get }: Attempt, identity: string | null, cluster: Cluster): Verdict {
  const caller: Caller = { identity, address: from.address };
  const server = serverOf(to, port, cluster);
  const podIsOpaque = to.proxy?.opaque.includes(port) === true;
  if (server === null) {
    if (!podIsOpaque && isProbe(to, port, get)) return "reached";
    return byPolicy(to.defaultPolicy ?? "all-unauthenticated", caller);
  }
  const { protocol } = server;
  // A port with an HTTP protocol rejects opaque connections (linkerd2-proxy, inbound/src/policy/tcp.rs).
  if (identity !== null && podIsOpaque && (protocol.startsWith("HTTP") || protocol === "gRPC")) return "mesh";
  const targets = [`Server/${server.name}`, `Namespace/${server.namespace}`];
  if (protocol === "unknown" || protocol.startsWith("HTTP/")) {
    const routes = cluster.objects.filter((object) => object.kind === "HTTPRoute" && isAttached(object, server));
    if (routes.length === 0 && isProbe(to, port, get)) return "reached";
    if (routes.length > 0) {
      const used = mostSpecific(routes, get);
      if (used === null) return "mesh";
      targets.push(`HTTPRoute/${used.metadata.name}`);
    }
  }
  return isGranted(targets, caller, to.namespace, cluster) ? "reached" : byPolicy(server.accessPolicy, caller);
}

function isProbe(to: Peer, port: number, get: string | undefined): boolean {
  return get !== undefined && to.probes.some((probe) => probe.port === port && withoutQuery(probe.path) === withoutQuery(get));
}

function withoutQuery(path: string): string {
  return path.split("?")[0] ?? "";
}

function byPolicy(policy: string, { identity, address }: Caller): Verdict {
  switch (policy) {
    case "deny":
      return "mesh";
    case "audit":
      return "counted";
    case "all-unauthenticated":
      return "reached";
    case "all-authenticated":
      return identity === null ? "mesh" : "reached";
    case "cluster-unauthenticated":
      return isInCluster(address) ? "reached" : "mesh";
    case "cluster-authenticated":
      return isInCluster(address) && identity !== null ? "reached" : "mesh";
    default:
      return refuse(policy);
  }
}

/**
 * Returns whether an address is in one of the networks that the value `clusterNetworks` of Linkerd's chart contains by
 * default. Returns true if the address is unknown.
 */
function isInCluster(address: string | undefined): boolean {
  const networks = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"];
  return address === undefined || networks.some((cidr) => inBlock({ cidr }, address));
}

function isAttached(route: KubernetesObject, { name, namespace }: ServerFacts): boolean {
  const parents = (field(route, "spec", "parentRefs") ?? []) as { kind: string; name: string }[];
  return route.metadata.namespace === namespace && parents.some((parent) => parent.kind === "Server" && parent.name === name);
}

/**
 * Returns the route with the longest path that matches the request. If the path of the request is unknown, every route
 * matches. If no route matches, returns null.
 */
function mostSpecific(routes: readonly KubernetesObject[], get: string | undefined): KubernetesObject | null {
  let best: { route: KubernetesObject; length: number } | null = null;
  for (const route of routes)
    for (const rule of (field(route, "spec", "rules") ?? [{}]) as { matches?: { path?: { type: string; value: string } }[] }[])
      for (const { path } of rule.matches ?? [{}]) {
        const wanted = path?.value ?? "/";
        const request = get === undefined ? null : withoutQuery(get);
        const exact = path?.type === "Exact";
        const fits =
          request === null ||
          (exact
            ? request === wanted
            : wanted === "/" || request === wanted || request.startsWith(`${wanted.replace(/\/$/, "")}/`));
        const length = request === null || path === undefined ? 0 : wanted.length + (exact ? 1 : 0);
        if (fits && (best === null || length > best.length)) best = { route, length };
      }
  return best?.route ?? null;
}

/** Returns whether an AuthorizationPolicy allows a caller to connect to one of the targets (`<kind>/<name>`). */
function isGranted(targets: readonly string[], caller: Caller, namespace: string, cluster: Cluster): boolean {
  return cluster.objects.some((policy) => {
    if (policy.kind !== "AuthorizationPolicy" || policy.metadata.namespace !== namespace) return false;
    const { kind, name } = field(policy, "spec", "targetRef") as { kind: string; name: string };
    if (!targets.includes(`${kind}/${name}`)) return false;
    const references = (field(policy, "spec", "requiredAuthenticationRefs") ?? []) as Reference[];
    return references.every((reference) => authenticates(reference, caller, namespace, cluster));
  });
}

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

function authenticates(reference: Reference, { identity, address }: Caller, own: string, { objects }: Cluster): boolean {
  const { kind, name, namespace = own } = reference;
  if (kind === "ServiceAccount") return identity === `${name}.${namespace}`;
  const found = objects.find(
    (object) => object.kind === kind && object.metadata.name === name && object.metadata.namespace === namespace,
  );
  if (found === undefined) return false;
  if (kind === "NetworkAuthentication")
    return ((field(found, "spec", "networks") ?? []) as Block[]).some((block) =>
      block.cidr === "0.0.0.0/0" && block.except === undefined ? true : inBlock(block, address),
    );
  if (identity === null) return false;
  const [, ofNamespace = ""] = identity.split(".");
  const names = (field(found, "spec", "identities") ?? []) as string[];
  if (names.some((each) => each === "*" || each.startsWith(`${identity}.serviceaccount.`))) return true;
  const accounts = (field(found, "spec", "identityRefs") ?? []) as Reference[];
  return accounts.some((account) =>
    account.kind === "Namespace"
      ? account.name === ofNamespace
      : `${account.name}.${account.namespace ?? namespace}` === identity,
  );
}
