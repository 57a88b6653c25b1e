import type { KubernetesObject } from "../kubernetes/object.ts";
import { at, listAt } from "../kubernetes/object-fields.ts";
import { selects } from "../kubernetes/selectors.ts";

/** The policies that stand in Dgraph's namespace, and the pods that they are about. */
export interface Policies {
  readonly network: readonly KubernetesObject[];
  readonly servers: readonly KubernetesObject[];
  readonly authorizations: readonly KubernetesObject[];
  readonly authentications: readonly KubernetesObject[];
}

/** Labels of who dials: its pod's, and its namespace's. */
export interface Source {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** NetworkPolicies that close the ingress of a pod. */
export function selecting({ network }: Policies, pod: KubernetesObject): KubernetesObject[] {
  return network.filter((policy) => selectsPod(policy, pod));
}

/** Whether the `podSelector` of a NetworkPolicy or Server selects a pod; both select in their own namespace alone. */
export function selectsPod({ metadata, spec }: KubernetesObject, pod: KubernetesObject): boolean {
  return metadata.namespace === pod.metadata.namespace && selects(at(spec, "podSelector"), pod.metadata.labels ?? {});
}

/** Names of the NetworkPolicies that let a source reach a port of a pod; what they say of address blocks is not looked at. */
export function admitting(policies: Policies, pod: KubernetesObject, source: Source, port: number): string[] {
  const own = { "kubernetes.io/metadata.name": source.namespace };
  const from = (peer: unknown): boolean => {
    const inNamespace =
      at(peer, "namespaceSelector") === undefined
        ? source.namespace === pod.metadata.namespace
        : selects(at(peer, "namespaceSelector"), own);
    return at(peer, "ipBlock") === undefined && inNamespace && selects(at(peer, "podSelector") ?? {}, source.labels);
  };
  return selecting(policies, pod)
    .filter((policy) =>
      listAt(policy, "spec", "ingress").some((rule) => {
        const [peers, ports] = [listAt(rule, "from"), listAt(rule, "ports")];
        return (peers.length === 0 || peers.some(from)) && (ports.length === 0 || ports.some((each) => covers(each, port)));
      }),
    )
    .map(({ metadata }) => metadata.name);
}

/** The Server of a pod's port; null where the mesh leaves the port to its default policy. */
export function serverOf({ servers }: Policies, pod: KubernetesObject, port: number): KubernetesObject | null {
  return servers.find((server) => at(server, "spec", "port") === port && selectsPod(server, pod)) ?? null;
}

/** An AuthorizationPolicy of a Server, and the accounts that it admits. */
export interface Authorization {
  readonly name: string;
  /** Service accounts as `name.namespace`; `*` is everyone. */
  readonly accounts: readonly string[];
}

/** AuthorizationPolicies of a Server. */
export function authorizationsOf({ authorizations, authentications }: Policies, server: KubernetesObject): Authorization[] {
  const rules = authorizations.filter(({ spec }) => at(spec, "targetRef", "name") === server.metadata.name);
  return rules.map((rule) => {
    const references = listAt<{ kind: string; name: string }>(rule, "spec", "requiredAuthenticationRefs");
    if (references.length === 0) return { name: rule.metadata.name, accounts: ["*"] };
    const accounts = references.flatMap(({ name }) => {
      const found = authentications.find(({ metadata }) => metadata.name === name);
      const identities = listAt<string>(found, "spec", "identities");
      const listed = listAt<{ name?: string; namespace?: string }>(found, "spec", "identityRefs");
      return [...identities, ...listed.map((each) => `${each.name ?? "*"}.${each.namespace ?? rule.metadata.namespace}`)];
    });
    return { name: rule.metadata.name, accounts };
  });
}

/** Accounts that may use a Server's port, as `name.namespace`; `*` is everyone. */
export function allowedAt(policies: Policies, server: KubernetesObject): string[] {
  return authorizationsOf(policies, server).flatMap(({ accounts }) => accounts);
}

function covers(rule: unknown, port: number): boolean {
  const first = at(rule, "port");
  const last = at(rule, "endPort") ?? first;
  if (String(at(rule, "protocol") ?? "TCP") !== "TCP") return false;
  return first === undefined || (typeof first === "number" && port >= first && port <= Number(last));
}
