import { linkerdRelease } from "../../catalog/linkerd.ts";
import { uninjectedNamespaces } from "../../catalog/well-known.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { isProtected } from "../../mesh/pod-set.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment, PodSet, WorkloadClient } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { podSetsOf, portKey } from "./pod-sets.ts";

/** Rules about `spec.workloads`. */
export const workloadRules: readonly Rule[] = [
  {
    code: "workload-client",
    severity: "error",
    title: "A client of a workload is not described by exactly one field",
    why: "A client is one of: the pods of a service account, a set of pods in this spec, the meshed pods of a namespace, networks, or a built-in client. Without any of these fields, the client admits nobody. With several fields, for example one in the base and one in the environment, it is not clear which clients are meant.",
    fix: "Keep one of `serviceAccountRef`, `workload`, `namespace`, `cidrs` and `builtin`. To remove an inherited field, set it to `null`.",
    check: clientKinds,
  },
  {
    code: "workload-unknown",
    severity: "error",
    title: "A client names a set of pods that does not exist",
    why: "`workload: orders/api` means the set of pods `api` in `workloads.orders.pods`. Its service account is the client. Without this set, meshops does not know the service account.",
    fix: "Correct the name. For pods that are not in this spec, use `serviceAccountRef`.",
    check: unknownWorkloads,
  },
  {
    code: "workload-port-unknown",
    severity: "error",
    title: "A client names a port that the pods do not have",
    why: "`ports` of a client contains names or numbers of the ports in the same set of pods. The numbers are those of the containers, because NetworkPolicies and Servers see these numbers, and not the numbers of Services.",
    fix: "Use the name or the number of a port in `ports` of the set.",
    check: unknownPorts,
  },
  {
    code: "cluster-networks-missing",
    severity: "error",
    title: "The networks of a built-in client are not known",
    why: "The kubelet and the API server have no identity in the mesh. Linkerd can admit them only by their IP addresses, which depend on the cluster.",
    fix: "Set `cluster.networks.nodes` for `kubelet`, and `cluster.networks.apiServer` for `apiServer`. `kubectl get nodes --output wide` shows addresses of nodes.",
    check: missingNetworks,
  },
  {
    code: "access-audit-unsupported",
    severity: "error",
    title: "The Linkerd release does not know the mode audit",
    why: "Servers have the field `accessPolicy` since Linkerd 2.16 (linkerd-crds, servers.policy.linkerd.io). An older release ignores the field, and refuses all clients that are not listed.",
    fix: "Use `mode: enforce` or `mode: off`, or a newer Linkerd release.",
    check: unsupportedAudit,
  },
  {
    code: "workload-not-meshed",
    severity: "error",
    title: "Pods without a proxy have access rules for identities",
    why: "Only a proxy can check the identity of a client. Pods without a proxy have no inbound port 4143, so a NetworkPolicy that admits only connections between proxies refuses every client. Linkerd never injects pods in the namespaces kube-system and cert-manager (linkerd-control-plane, `proxyInjector.namespaceSelector`).",
    fix: "Inject the pods, or set `access.mode: off` for this set.",
    check: withoutProxy,
  },
  {
    code: "identity-shared",
    severity: "warning",
    title: "Two sets of pods have the same identity",
    why: "The identity of a meshed pod is its service account. If two sets of pods share a service account, Linkerd cannot distinguish them: a client entry for one of them also admits the other.",
    fix: "Give each set its own service account, or silence the rule.",
    check: sharedIdentities,
  },
  {
    code: "selector-overlap",
    severity: "warning",
    title: "Two sets of pods can select the same pods",
    why: "If two Servers select the same port of a pod, only the older one applies (linkerd2, policy-controller, inbound index), and NetworkPolicies of both sets are added up. The clients of one set then reach pods of the other.",
    fix: "Add a label to the selectors that distinguishes the pods.",
    check: overlaps,
  },
  {
    code: "client-weak",
    severity: "warning",
    title: "All clients may connect, with or without an identity",
    why: "A client without an identity is known only by its address. `everyone`, and a network that contains all addresses, admit every program that can reach the pods.",
    fix: "List the clients, or use `builtin: meshed` for all meshed pods. If the port must be open, for example for a load balancer, silence the rule.",
    check: weakClients,
  },
];

/** A set of pods in the spec, and the path of its fields. */
interface Entry {
  readonly name: string;
  readonly set: PodSet;
  readonly at: (...steps: string[]) => RuleFinding["paths"][number];
}

function entriesOf({ spec: { workloads } }: Environment): Entry[] {
  return Object.entries(workloads).flatMap(([workload, { pods }]) =>
    Object.entries(pods).map(([key, set]) => ({
      name: `${workload}/${key}`,
      set,
      at: (...steps: string[]) => spec("workloads", workload, "pods", key, ...steps),
    })),
  );
}

/** Clients of all sets, with their entries. */
function clientsOf(environment: Environment): (Entry & { readonly key: string; readonly client: WorkloadClient })[] {
  return entriesOf(environment).flatMap((entry) =>
    Object.entries(entry.set.access.clients).map(([key, client]) => ({ ...entry, key, client })),
  );
}

const kinds = ["serviceAccountRef", "workload", "namespace", "cidrs", "builtin"] as const;

function* clientKinds(environment: Environment): Iterable<RuleFinding> {
  for (const { key, client, at } of clientsOf(environment)) {
    const set = kinds.filter((kind) => client[kind] !== undefined);
    if (set.length === 1) continue;
    yield {
      paths: [at("access", "clients", key)],
      part: "key",
      message:
        set.length === 0 ? `the client ${key} does not say who may connect` : `the client ${key} has both ${set.join(" and ")}`,
      fix: set.length === 0 ? `remove the client, or add one of ${kinds.join(", ")}` : `remove ${set.slice(1).join(" and ")}`,
    };
  }
}

function* unknownWorkloads(environment: Environment): Iterable<RuleFinding> {
  const known = entriesOf(environment).map(({ name }) => name);
  for (const { key, client, at } of clientsOf(environment)) {
    if (client.workload === undefined || known.includes(client.workload)) continue;
    yield {
      paths: [at("access", "clients", key, "workload")],
      message: `the spec contains no set of pods ${client.workload}`,
      fix: didYouMean(client.workload, known) ?? "use serviceAccountRef for pods that are not in this spec",
    };
  }
}

function* unknownPorts(environment: Environment): Iterable<RuleFinding> {
  for (const { name, key, client, set, at } of clientsOf(environment))
    for (const port of client.ports ?? []) {
      if (portKey(port, set) !== null) continue;
      const known = Object.keys(set.ports);
      yield {
        paths: [at("access", "clients", key, "ports")],
        message: `${name} has no port ${port}`,
        fix: didYouMean(String(port), known) ?? (known.length === 0 ? "remove ports" : `use one of ${known.join(", ")}`),
      };
    }
}

function* missingNetworks(environment: Environment): Iterable<RuleFinding> {
  const { nodes, apiServer } = clusterOf(environment).networks;
  for (const { key, client, at } of clientsOf(environment)) {
    const [field, example, found] =
      client.builtin === "kubelet" ? ["nodes", "10.224.0.0/16", nodes] : ["apiServer", "10.0.0.1/32", apiServer];
    if ((client.builtin !== "kubelet" && client.builtin !== "apiServer") || found.length > 0) continue;
    yield {
      paths: [at("access", "clients", key, "builtin")],
      message: `the addresses of ${client.builtin === "kubelet" ? "the nodes" : "the API server"} are not known`,
      fix: `set cluster.networks.${field}: [${example}], if ${client.builtin === "kubelet" ? "the nodes are in this network" : "this is the address of the API server"}`,
    };
  }
}

function* unsupportedAudit(environment: Environment): Iterable<RuleFinding> {
  const release = linkerdRelease(environment.spec.linkerd.version);
  if (release.channel !== "stable") return;
  const message = `Linkerd ${release.version} does not know the mode audit, and would refuse all clients that are not listed`;
  for (const { set, at } of entriesOf(environment)) {
    if (set.access.mode === "audit") yield { paths: [at("access", "mode")], message, fix: "set access.mode: enforce" };
    for (const [key, port] of Object.entries(set.ports))
      if (port.access === "audit") yield { paths: [at("ports", key, "access")], message, fix: "set access: enforce" };
  }
}

function* withoutProxy(environment: Environment): Iterable<RuleFinding> {
  for (const [workload, { namespace, pods }] of Object.entries(environment.spec.workloads)) {
    const sets = podSetsOf(environment, workload);
    for (const [index, [key, { inject }]] of Object.entries(pods).entries()) {
      const excluded = uninjectedNamespaces.includes(namespace);
      const set = sets[index];
      if (set === undefined || !isProtected(set) || (inject !== "disabled" && !excluded)) continue;
      yield {
        paths: [spec("workloads", workload, "pods", key, "access", "mode"), spec("workloads", workload, "pods", key)],
        message: excluded
          ? `Linkerd does not inject pods in namespace ${namespace}, so no proxy can check the identities of the clients of ${workload}/${key}`
          : `the pods of ${workload}/${key} have no proxy, so nothing checks the identities of their clients`,
        fix: excluded ? "set access.mode: off" : "set inject: enabled, or access.mode: off",
      };
    }
  }
}

function* sharedIdentities(environment: Environment): Iterable<RuleFinding> {
  const used = new Set(clientsOf(environment).map(({ client }) => client.workload));
  const byIdentity = new Map<string, string>();
  for (const [workload, { namespace, pods }] of Object.entries(environment.spec.workloads))
    for (const [key, { serviceAccountName }] of Object.entries(pods)) {
      const [name, identity] = [`${workload}/${key}`, `${namespace}/${serviceAccountName}`];
      const first = byIdentity.get(identity);
      if (first === undefined) byIdentity.set(identity, name);
      else if (used.has(name) || used.has(first))
        yield {
          paths: [spec("workloads", workload, "pods", key, "serviceAccountName"), spec("workloads", workload, "pods", key)],
          message: `${name} and ${first} have the service account ${identity}, so a client entry for one admits both`,
          fix: `use a service account of its own, such as ${workload}-${key}`,
        };
    }
}

function* overlaps(environment: Environment): Iterable<RuleFinding> {
  const all = Object.keys(environment.spec.workloads).flatMap((workload) => podSetsOf(environment, workload));
  const entries = entriesOf(environment);
  for (const [index, set] of all.entries()) {
    const first = all
      .slice(0, index)
      .find((other) => other.namespace === set.namespace && mayShare(other.selector, set.selector));
    const entry = entries[index];
    if (first === undefined || entry === undefined || (!isProtected(first) && !isProtected(set))) continue;
    yield {
      paths: [entry.at("selector")],
      message: `the selectors of ${first.title} and ${set.title} can select the same pods`,
      fix: "add a label to the selector that only these pods have",
    };
  }
}

/** Whether two selectors with `matchLabels` can select the same pods. Expressions are not compared. */
function mayShare(one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean {
  if ("matchExpressions" in one || "matchExpressions" in other) return false;
  const [a, b] = [one, other].map(({ matchLabels = {} }) => matchLabels as Readonly<Record<string, string>>);
  return Object.entries(a ?? {}).every(([key, value]) => b?.[key] === undefined || b[key] === value);
}

function* weakClients(environment: Environment): Iterable<RuleFinding> {
  for (const { name, key, client, set, at } of clientsOf(environment)) {
    const open = client.builtin === "everyone" || client.cidrs?.some((cidr) => cidr.endsWith("/0")) === true;
    if (!open || set.access.mode === "off") continue;
    yield {
      paths: [at("access", "clients", key, client.builtin === undefined ? "cidrs" : "builtin")],
      message: `the client ${key} admits every program that can reach ${name}`,
      fix: client.builtin === undefined ? "remove cidrs, and list the clients" : "set builtin: meshed, or list the clients",
    };
  }
}
