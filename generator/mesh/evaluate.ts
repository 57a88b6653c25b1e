import { type LinkerdRelease, proxyPorts } from "../catalog/linkerd.ts";
import { portKeys } from "../catalog/well-known.ts";
import type { KubernetesObject, StringMap } from "../kubernetes/object.ts";
import { at, listAt } from "../kubernetes/object-fields.ts";
import { selects, selectsPod } from "../kubernetes/selectors.ts";
import { type Authorization, authorizationsOf, defaultPolicyOf, podContainers, serverOf } from "./inbound-policy.ts";
import { proxyOf } from "./pod.ts";
import type { Account } from "./pod-set.ts";
import { includes, letsThrough, namedPort, parsePorts } from "./ports.ts";

/** A connection to a port of a pod. */
export interface Attempt {
  readonly from: {
    readonly namespace: string;
    /** Labels of the namespace. Kubernetes sets `kubernetes.io/metadata.name`, so this label may be omitted. */
    readonly namespaceLabels?: StringMap;
    readonly labels: Readonly<Record<string, string>>;
    /**
     * Service account in the certificate of the client's proxy. Null for a client without a proxy, even if it has the
     * labels of meshed pods.
     */
    readonly identity: Account | null;
  };
  readonly to: KubernetesObject;
  /** Port to which the client connects. */
  readonly port: number;
}

/** Decision of the network layer. */
interface NetworkVerdict {
  readonly admits: boolean;
  /**
   * Port at which the connection arrives at the pod. It is the proxy's inbound port if both pods have a proxy that
   * handles the connection, and the release uses the transport header or the port is opaque. Otherwise it is the
   * original port.
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

/** Decision of the mesh layer. */
interface MeshVerdict {
  readonly admits: boolean;
  /** The Server that selects the port. Null if no Server selects the port, so that the pod's default policy applies. */
  readonly server: KubernetesObject | null;
  /** AuthorizationPolicies that target the Server. */
  readonly authorizations: readonly Authorization[];
}

/** Decision of both layers. */
export interface Verdict {
  readonly admitted: boolean;
  /**
   * First layer that refuses the connection, and the object that causes the refusal. Null if the connection is
   * admitted.
   */
  readonly refusedBy: { readonly layer: "network" | "mesh"; readonly object: string } | null;
  readonly network: NetworkVerdict;
  readonly mesh: MeshVerdict;
}

/**
 * Evaluates whether policy objects (NetworkPolicies, Servers, AuthorizationPolicies and MeshTLSAuthentications) admit a
 * connection to a port of an application. The mesh layer admits every connection to a pod without a proxy, and to a
 * port in the pod's `skip-inbound-ports`. IP blocks, egress rules, routes and probe paths are not evaluated.
 *
 * @param objects policies of any namespace; objects of other kinds are ignored
 */
export function evaluate(attempt: Attempt, objects: readonly KubernetesObject[], release: LinkerdRelease): Verdict {
  const { from, to, port } = attempt;
  const server = serverOf(to, port, objects);
  const bypassed = proxyOf(to) === undefined || hasPort(to, portKeys.skipInbound, port);
  const identity = bypassed ? null : from.identity;
  const opaque = hasPort(to, portKeys.opaque, port) || at(server, "spec", "proxyProtocol") === "opaque";
  const arrivesAtProxy = identity !== null && (release.traits.transportHeader || opaque);
  const network = networkVerdict(attempt, arrivesAtProxy ? proxyPorts.inbound : port, objects);
  const mesh = meshVerdict(identity, to, server, objects);
  const admittedByMesh = bypassed || mesh.admits;
  const refusedBy = network.admits
    ? admittedByMesh
      ? null
      : ({
          layer: "mesh",
          object: mesh.server === null ? "default inbound policy" : `Server ${mesh.server.metadata.name}`,
        } as const)
    : ({ layer: "network", object: `NetworkPolicy ${network.selecting.join(", ")}` } as const);
  return { admitted: refusedBy === null, refusedBy, network, mesh: { ...mesh, admits: admittedByMesh } };
}

/** Whether the port list in an annotation of a pod contains a port. */
function hasPort({ metadata }: KubernetesObject, key: string, port: number): boolean {
  return includes(parsePorts(metadata.annotations?.[key]), port);
}

function networkVerdict(attempt: Attempt, port: number, objects: readonly KubernetesObject[]): NetworkVerdict {
  const selecting = objects.filter((policy) => policy.kind === "NetworkPolicy" && selectsPod(policy, attempt.to));
  const admitting = selecting.filter((policy) => listAt(policy, "spec", "ingress").some((rule) => admits(rule, attempt, port)));
  const names = (policies: readonly KubernetesObject[]): string[] => policies.map(({ metadata }) => metadata.name);
  return {
    admits: selecting.length === 0 || admitting.length > 0,
    port,
    selecting: names(selecting),
    admitting: names(admitting),
  };
}

function admits(rule: unknown, { from, to }: Attempt, port: number): boolean {
  const peers = listAt(rule, "from");
  const isPeer = (peer: unknown): boolean => {
    if (at(peer, "ipBlock") !== undefined) return false;
    const namespaces = at(peer, "namespaceSelector");
    const inNamespace =
      namespaces === undefined
        ? from.namespace === to.metadata.namespace
        : selects(namespaces, { ...from.namespaceLabels, "kubernetes.io/metadata.name": from.namespace });
    return inNamespace && selects(at(peer, "podSelector") ?? {}, from.labels);
  };
  const isNamed = (name: string): boolean => namedPort(name, podContainers(to)) === port;
  return (peers.length === 0 || peers.some(isPeer)) && letsThrough(at(rule, "ports"), port, isNamed);
}

function meshVerdict(
  identity: Account | null,
  to: KubernetesObject,
  server: KubernetesObject | null,
  objects: readonly KubernetesObject[],
): MeshVerdict {
  const authorizations = server === null ? [] : authorizationsOf(server, objects);
  const policy = server === null ? defaultPolicyOf(to) : String(at(server, "spec", "accessPolicy") ?? "deny");
  const byDefault = policy !== "deny" && (identity !== null || !policy.endsWith("-authenticated"));
  const listed = authorizations.some(({ accounts }) => accounts.some((account) => isAccount(account, identity)));
  return { admits: byDefault || listed, server, authorizations };
}

function isAccount(listed: string, identity: Account | null): boolean {
  if (listed === "*") return true;
  return identity !== null && (listed === `${identity.name}.${identity.namespace}` || listed === `*.${identity.namespace}`);
}
