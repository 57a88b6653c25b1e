import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt, mapAt } from "../kubernetes/object-fields.ts";
import { portNumber } from "../kubernetes/workload.ts";
import { inNetwork, type Network } from "./networks.ts";
import { podContainers } from "./pod.ts";
import type { Account } from "./pod-set.ts";
import { listedIdentities, refersToServer, serverSelects } from "./policy-readers.ts";
import { isSame } from "./reference-kind.ts";

/**
 * Requirement of an authorization: the client must have one of the identities, or an address in one of the networks.
 */
type Requirement = { readonly identities: readonly string[] } | { readonly networks: readonly Network[] };

/** A policy that admits clients to a Server or a route. A client must meet all requirements of the policy. */
export interface Authorization {
  readonly kind: "AuthorizationPolicy" | "ServerAuthorization";
  readonly name: string;
  /**
   * Identities have the form `name.namespace`. `*.namespace` means all service accounts of a namespace, and `*` means
   * all meshed clients.
   */
  readonly requirements: readonly Requirement[];
}

/** Facts about a client that a proxy uses for its decision. */
export interface ProxyClient {
  /** Null for a client without an identity. */
  readonly identity: Account | null;
  /** IP address; null if it is not known. */
  readonly address: string | null;
}

/**
 * Returns the Server that applies to a port of a pod. If several Servers select the port, the oldest Server applies
 * (linkerd2, policy-controller, inbound index). Returns null if no Server selects the port. In this case, the pod's
 * default inbound policy applies.
 */
export function serverOf(pod: KubernetesObject, port: number, objects: readonly KubernetesObject[]): KubernetesObject | null {
  const age = (server: KubernetesObject): string => String(at(server, "metadata", "creationTimestamp") ?? "");
  const [oldest] = objects
    .filter((object) => object.kind === "Server" && isServerOf(object, pod) && serverPort(object, pod) === port)
    .sort((a, b) => (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0));
  return oldest ?? null;
}

/** Whether a Server selects a pod. A Server selects only pods in its own namespace. */
export function isServerOf({ metadata, spec }: KubernetesObject, pod: KubernetesObject): boolean {
  return metadata.namespace === pod.metadata.namespace && serverSelects(spec, pod.metadata.labels ?? {});
}

/**
 * Returns the number of the port that a Server selects. A Server can specify this port by the name of a container port.
 */
export function serverPort(server: KubernetesObject, pod: KubernetesObject): number | null {
  return portNumber(at(server, "spec", "port"), podContainers(pod));
}

/**
 * Returns the authorizations of a Server: AuthorizationPolicies that target the Server or its namespace, and
 * ServerAuthorizations (linkerd2, policy-controller/k8s/index/src/inbound/index.rs, client_authzs).
 */
export function authorizationsOf(server: KubernetesObject, objects: readonly KubernetesObject[]): Authorization[] {
  const { name, namespace } = server.metadata;
  const policies = policiesTargeting(objects, namespace, ({ kind, name: target }) =>
    isSame(kind, "Server") ? target === name : isSame(kind, "Namespace") && target === namespace,
  );
  const older = objects.filter(
    (object) =>
      object.kind === "ServerAuthorization" &&
      object.metadata.namespace === namespace &&
      refersToServer(object.spec, name, server.metadata.labels ?? {}),
  );
  return [...policies, ...older.map((object) => serverAuthorization(object, namespace ?? ""))];
}

/**
 * Returns the authorizations that target a route (linkerd2, policy-controller/k8s/index/src/inbound/index.rs,
 * route_client_authzs).
 */
export function authorizationsOfRoute(
  { kind, metadata: { name, namespace } }: KubernetesObject,
  objects: readonly KubernetesObject[],
): Authorization[] {
  return policiesTargeting(objects, namespace, (target) => isSame(target.kind, kind) && target.name === name);
}

/** Whether an authorization admits a client. An authorization without requirements admits all clients. */
export function admitsClient({ requirements }: Authorization, { identity, address }: ProxyClient): boolean {
  return requirements.every((requirement) =>
    "networks" in requirement
      ? requirement.networks.some((network) => inNetwork(address, network))
      : identity !== null && requirement.identities.some((listed) => isIdentity(listed, identity)),
  );
}

/** Returns all identities in the requirements of an authorization. */
export function namedIdentities({ requirements }: Authorization): readonly string[] {
  return requirements.flatMap((each) => ("identities" in each ? each.identities : []));
}

/** Whether an authorization admits all meshed clients, from all addresses. */
export function admitsAllMeshed({ requirements }: Authorization): boolean {
  return requirements.every((each) =>
    "identities" in each ? each.identities.includes("*") : each.networks.some((network) => inNetwork(null, network)),
  );
}

function isIdentity(listed: string, { name, namespace }: Account): boolean {
  return listed === "*" || listed === `${name}.${namespace}` || listed === `*.${namespace}`;
}

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

function policiesTargeting(
  objects: readonly KubernetesObject[],
  namespace: string | undefined,
  isTarget: (target: Reference) => boolean,
): Authorization[] {
  const policies = objects.filter(
    (object) =>
      object.kind === "AuthorizationPolicy" &&
      object.metadata.namespace === namespace &&
      isTarget(mapAt(object, "spec", "targetRef") as unknown as Reference),
  );
  return policies.map((policy) => ({
    kind: "AuthorizationPolicy",
    name: policy.metadata.name,
    requirements: requirementsOf(policy, objects),
  }));
}

function requirementsOf(policy: KubernetesObject, objects: readonly KubernetesObject[]): Requirement[] {
  const own = policy.metadata.namespace ?? "";
  return listAt<Reference>(policy, "spec", "requiredAuthenticationRefs").map((reference): Requirement => {
    const { kind, name, namespace = own } = reference;
    if (isSame(kind, "ServiceAccount")) return { identities: [`${name}.${namespace}`] };
    const found = objects.find(
      (object) => isSame(kind, object.kind) && object.metadata.name === name && object.metadata.namespace === namespace,
    );
    return isSame(kind, "NetworkAuthentication")
      ? { networks: listAt<Network>(found, "spec", "networks") }
      : { identities: authenticated(found, namespace) };
  });
}

/**
 * Returns the identities of a MeshTLSAuthentication. If the object does not exist, returns an empty list, because
 * Linkerd then admits no client.
 */
function authenticated(found: KubernetesObject | undefined, namespace: string): string[] {
  return listedIdentities(at(found, "spec"), namespace).map((each) =>
    each.kind === "Identity"
      ? shortIdentity(each.name)
      : each.kind === "Namespace"
        ? `*.${each.name}`
        : `${each.name}.${each.namespace}`,
  );
}

function shortIdentity(identity: string): string {
  return identity.replace(/\.serviceaccount\.identity\..*$/, "");
}

function serverAuthorization(object: KubernetesObject, namespace: string): Authorization {
  const client = at(object, "spec", "client");
  const networks = listAt<Network>(client, "networks");
  const accounts = listAt<{ name: string; namespace?: string }>(client, "meshTLS", "serviceAccounts");
  const identities = [
    ...listAt<string>(client, "meshTLS", "identities").map(shortIdentity),
    ...accounts.map((account) => `${account.name}.${account.namespace ?? namespace}`),
  ];
  const anyone = at(client, "unauthenticated") === true || at(client, "meshTLS", "unauthenticatedTLS") === true;
  return {
    kind: "ServerAuthorization",
    name: object.metadata.name,
    requirements: [...(networks.length === 0 ? [] : [{ networks }]), ...(anyone ? [] : [{ identities }])],
  };
}
