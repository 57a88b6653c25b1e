import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";
import type { Account, Protocol } from "./pod-set.ts";

const group = "policy.linkerd.io";

/** A port that a Server protects, and the service accounts of the clients that may connect to the port. */
interface ProtectedPort {
  readonly metadata: KubernetesObject["metadata"];
  readonly podSelector: JsonMap;
  readonly port: number;
  readonly protocol: Protocol;
  readonly accounts: readonly Account[];
}

/**
 * Returns the policies that deny access to a port for all clients, except for meshed clients with one of the given
 * service accounts. The policies are a Server and, if there are accounts, an AuthorizationPolicy with its
 * MeshTLSAuthentication. HTTP probes from any client are still allowed if the request is a `GET` of a probe's path
 * (linkerd2, policy-controller, default probe routes).
 */
export function protectPort(port: ProtectedPort, release: LinkerdRelease): KubernetesObject[] {
  const accounts = distinct(port.accounts);
  return [server(port, release), ...(accounts.length === 0 ? [] : authorize({ ...port, accounts }, release))];
}

function server({ metadata, podSelector, port, protocol }: ProtectedPort, { traits }: LinkerdRelease): KubernetesObject {
  return {
    apiVersion: `${group}/${traits.policyApi.server}`,
    kind: "Server",
    metadata,
    spec: { podSelector, port, proxyProtocol: protocol },
  };
}

function authorize({ metadata, accounts }: ProtectedPort, { traits }: LinkerdRelease): KubernetesObject[] {
  const apiVersion = `${group}/${traits.policyApi.authorizationPolicy}`;
  return [
    {
      apiVersion,
      kind: "MeshTLSAuthentication",
      metadata,
      spec: {
        identityRefs: accounts.map(({ namespace, name }) => ({ kind: "ServiceAccount", name, namespace })),
      },
    },
    {
      apiVersion,
      kind: "AuthorizationPolicy",
      metadata,
      spec: {
        targetRef: { group, kind: "Server", name: metadata.name },
        requiredAuthenticationRefs: [{ group, kind: "MeshTLSAuthentication", name: metadata.name }],
      },
    },
  ];
}

function distinct(accounts: readonly Account[]): Account[] {
  return [...new Map(accounts.map((account) => [`${account.namespace}/${account.name}`, account])).values()];
}
