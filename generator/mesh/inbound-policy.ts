import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt } from "../kubernetes/object-fields.ts";
import { selectsPod } from "../kubernetes/selectors.ts";
import { namedPort } from "./ports.ts";

/** An AuthorizationPolicy of a Server, and the accounts that the AuthorizationPolicy admits. */
export interface Authorization {
  readonly name: string;
  /**
   * Service accounts as `name.namespace`. `*.namespace` means all accounts of a namespace, and `*` means all clients.
   */
  readonly accounts: readonly string[];
}

/**
 * Returns the Server that applies to a port of a pod. Returns null if no Server selects the port, so that the pod's
 * default policy applies. If several Servers select the port, the oldest Server applies (linkerd2, policy-controller,
 * inbound index).
 */
export function serverOf(pod: KubernetesObject, port: number, objects: readonly KubernetesObject[]): KubernetesObject | null {
  const age = (server: KubernetesObject): string => String(at(server, "metadata", "creationTimestamp") ?? "");
  const [oldest] = objects
    .filter((object) => object.kind === "Server" && selectsPod(object, pod) && portOf(object, pod) === port)
    .sort((a, b) => (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0));
  return oldest ?? null;
}

/** Returns the number of a Server's port. A Server can specify the port by the name of a container port. */
function portOf(server: KubernetesObject, pod: KubernetesObject): unknown {
  const port = at(server, "spec", "port");
  return typeof port === "string" ? namedPort(port, podContainers(pod)) : port;
}

/** Returns the containers of a pod, init containers first: a native sidecar is an init container. */
export function podContainers(pod: KubernetesObject): unknown[] {
  return [...listAt(pod, "spec", "initContainers"), ...listAt(pod, "spec", "containers")];
}

/** Returns the AuthorizationPolicies that target a Server. */
export function authorizationsOf(server: KubernetesObject, objects: readonly KubernetesObject[]): Authorization[] {
  const { name, namespace } = server.metadata;
  return objects
    .filter(
      (object) =>
        object.kind === "AuthorizationPolicy" &&
        object.metadata.namespace === namespace &&
        at(object, "spec", "targetRef", "kind") === "Server" &&
        at(object, "spec", "targetRef", "name") === name,
    )
    .map((policy) => ({ name: policy.metadata.name, accounts: accountsOf(policy, objects) }));
}

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/**
 * Returns the accounts that a policy admits. A client must satisfy all authentication references of the policy. A
 * reference to a NetworkAuthentication does not require an identity.
 */
function accountsOf(policy: KubernetesObject, objects: readonly KubernetesObject[]): readonly string[] {
  const own = policy.metadata.namespace ?? "";
  const identities = listAt<Reference>(policy, "spec", "requiredAuthenticationRefs").flatMap((reference) => {
    if (reference.kind === "NetworkAuthentication") return [];
    if (reference.kind === "ServiceAccount") return [[`${reference.name}.${reference.namespace ?? own}`]];
    return [authenticated(reference, reference.namespace ?? own, objects)];
  });
  const [first = ["*"], ...others] = identities;
  return first.filter((account) => others.every((accounts) => accounts.includes(account)));
}

/**
 * Returns the accounts of a MeshTLSAuthentication. Returns an empty list, which admits no client, if it does not exist.
 */
function authenticated({ name }: Reference, namespace: string, objects: readonly KubernetesObject[]): string[] {
  const found = objects.find(
    ({ kind, metadata }) => kind === "MeshTLSAuthentication" && metadata.name === name && metadata.namespace === namespace,
  );
  const identities = listAt<string>(found, "spec", "identities").map((each) =>
    each.replace(/\.serviceaccount\.identity\..*$/, ""),
  );
  const accounts = listAt<Reference>(found, "spec", "identityRefs").map((each) =>
    each.kind === "Namespace" ? `*.${each.name}` : `${each.name}.${each.namespace ?? namespace}`,
  );
  return [...identities, ...accounts];
}

/**
 * Returns the default inbound policy of a pod: the value of the pod's annotation or, without this annotation, the
 * default of Linkerd's charts. A Linkerd installation may have a different default.
 */
export function defaultPolicyOf({ metadata }: KubernetesObject): string {
  return metadata.annotations?.["config.linkerd.io/default-inbound-policy"] ?? "all-unauthenticated";
}
