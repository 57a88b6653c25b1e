import type { LinkerdRelease } from "../catalog/linkerd.ts";
import type { JsonMap, KubernetesObject } from "../kubernetes/object.ts";

const group = "policy.linkerd.io";

/** A service account: the identity of a meshed workload. */
export interface Account {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** A port that the mesh guards, and who may use it. */
export interface Guarded {
  readonly metadata: KubernetesObject["metadata"];
  readonly podSelector: JsonMap;
  readonly port: number;
  readonly protocol: "HTTP/1" | "gRPC" | "opaque" | "unknown";
  readonly accounts: readonly Account[];
}

/**
 * Closes a port to all, and opens it by mesh identity: a Server, and where anybody may use it an AuthorizationPolicy for the service accounts
 * of a MeshTLSAuthentication. HTTP probes pass none the less, from anybody and with `GET` on their paths alone
 * (linkerd2, policy-controller, default probe routes). Ports that skip the proxy are beyond all this.
 */
export function guard(guarded: Guarded, track: LinkerdRelease): KubernetesObject[] {
  const accounts = distinct(guarded.accounts);
  return [server(guarded, track), ...(accounts.length === 0 ? [] : authorize({ ...guarded, accounts }, track))];
}

function server({ metadata, podSelector, port, protocol }: Guarded, { traits }: LinkerdRelease): KubernetesObject {
  return {
    apiVersion: `${group}/${traits.policyApi.server}`,
    kind: "Server",
    metadata,
    spec: { podSelector, port, proxyProtocol: protocol },
  };
}

function authorize({ metadata, accounts }: Guarded, { traits }: LinkerdRelease): KubernetesObject[] {
  const apiVersion = `${group}/${traits.policyApi.authorizationPolicy}`;
  return [
    {
      apiVersion,
      kind: "MeshTLSAuthentication",
      metadata,
      spec: {
        identityRefs: accounts.map(({ namespace, serviceAccount }) => ({
          kind: "ServiceAccount",
          name: serviceAccount,
          namespace,
        })),
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
  return [...new Map(accounts.map((account) => [`${account.namespace}/${account.serviceAccount}`, account])).values()];
}
