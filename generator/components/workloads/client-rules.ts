import { didYouMean } from "../../diagnostics/suggest.ts";
import { unmeshedReason } from "../../mesh/namespace-settings.ts";
import { isNetwork } from "../../mesh/networks.ts";
import { portKey } from "../../mesh/pod-set.ts";
import { clusterOf } from "../../spec/cluster.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { clientsOf, declaredPods } from "./entries.ts";

/** Rules about the clients of `spec.workloads`. */
export const clientRules: readonly Rule[] = [
  {
    code: "workload-client",
    severity: "error",
    title: "A client of a workload has no identifying field, or more than one",
    why: "A client is one of: the pods of a service account, a set of pods in `workloads`, the meshed pods of a namespace, networks, or a built-in client. Each of these kinds has its own field. If no field is set, the entry admits no client. If several fields are set, for example one in the base and one in the environment, meshops cannot determine which clients the entry admits.",
    fix: "Keep one of `serviceAccountRef`, `workload`, `namespace`, `cidrs` and `builtin`. To remove an inherited field, set it to `null`.",
    check: clientKinds,
  },
  {
    code: "workload-unknown",
    severity: "error",
    title: "A client refers to a set of pods that does not exist",
    why: "`workload: orders/api` means the set of pods `api` in `workloads.orders.pods`. The client is the service account of this set of pods. If the set of pods does not exist, meshops does not know the service account.",
    fix: "Correct the name. For pods that are not in this spec, use `serviceAccountRef`.",
    check: unknownWorkloads,
  },
  {
    code: "workload-port-unknown",
    severity: "error",
    title: "A client refers to a port that the pods do not have",
    why: "The field `ports` of a client contains names or numbers of ports. The set of pods that lists the client must declare these ports. The numbers are the port numbers of the containers, not of Services, because NetworkPolicies and Servers apply to container ports.",
    fix: "Use the name or the number of a port that the set of pods declares in its field `ports`.",
    check: unknownPorts,
  },
  {
    code: "cluster-networks-missing",
    severity: "error",
    title: "The spec does not set the networks of a built-in client",
    why: "The kubelet and the API server have no identity in the mesh. Linkerd can admit them only by their IP addresses, which depend on the cluster.",
    fix: "Set `cluster.networks.nodes` for `kubelet`, and `cluster.networks.apiServer` for `apiServer`. `kubectl get nodes --output wide` shows addresses of nodes.",
    check: missingNetworks,
  },
  {
    code: "client-namespace-unmeshed",
    severity: "warning",
    title: "The namespace of a client of a workload disables injection",
    why: "Policies admit a service account by its mesh identity, which a pod gets from its proxy. If `mesh.inject` of the namespace is `disabled`, new pods have no proxy, unless their own template enables injection. The policies then refuse the client.",
    fix: "Set `namespaces.<namespace>.mesh.inject: enabled`. If the pods of the client enable injection in their own template, silence the rule.",
    check: unmeshedClients,
  },
  {
    code: "client-weak",
    severity: "warning",
    title: "Every client is allowed to connect, with or without an identity",
    why: "Linkerd can recognize a client without an identity only by its address. `builtin: everyone` admits every program that can reach the pods. A network that contains all addresses has the same effect.",
    fix: "Add an entry for each client instead. To admit all meshed pods, use `builtin: meshed`. If the port must be open for all clients, for example for a load balancer, silence the rule.",
    check: weakClients,
  },
  {
    code: "client-cidrs-cilium",
    severity: "warning",
    title: "With Cilium, `cidrs` does not admit pods or nodes",
    why: 'If a set of pods has the access mode `enforce`, its NetworkPolicy contains each network in `cidrs` as an `ipBlock`. Cilium compares an `ipBlock` only with addresses outside of the cluster, so Cilium refuses pods and nodes in these networks (AKS docs, "Azure CNI Powered by Cilium", limitations; Cilium docs, "CIDR rules").',
    fix: "Inject a proxy into the client's pods and use `serviceAccountRef`, or add a NetworkPolicy of your own that selects the client's pods. If the networks are outside of the cluster, silence the rule.",
    check: networksOnCilium,
  },
  {
    code: "prometheus-client",
    severity: "error",
    title: "`monitoring.prometheus` has no identifying field, or more than one",
    why: "`monitoring.prometheus` identifies Prometheus by one field: `serviceAccountRef` for a service account, `cidrs` for networks, or `unmeshed` for the namespace of a Prometheus without a proxy. A Prometheus without a proxy connects directly to port 4191 of the proxies, so the NetworkPolicies allow all pods of its namespace to read the metrics. If none of these fields is set, the NetworkPolicies admit no Prometheus.",
    fix: "Keep one of `serviceAccountRef`, `cidrs` and `unmeshed`.",
    check: prometheus,
  },
  {
    code: "network-invalid",
    severity: "error",
    title: "A network is not valid",
    why: "A network is an IP address with a prefix length. The prefix length is at most 32 for IPv4, and at most 128 for IPv6. Kubernetes and Linkerd refuse other values (NetworkPolicy, `ipBlock`; NetworkAuthentication, `networks`).",
    fix: "Write a network in the format `10.9.0.0/16`, and a single address in the format `10.9.0.1/32`.",
    check: networks,
  },
];

function* networksOnCilium(environment: Environment): Iterable<RuleFinding> {
  if (clusterOf(environment).networkPolicy !== "cilium") return;
  for (const { key, client, set, at } of clientsOf(environment)) {
    if (client.cidrs === undefined || set.access.mode !== "enforce") continue;
    yield {
      paths: [at("access", "clients", key, "cidrs")],
      message: "with Cilium, cidrs does not admit pods or nodes. It admits only clients outside of the cluster",
      fix: "remove cidrs, inject a proxy into the client's pods, and use serviceAccountRef; or add a NetworkPolicy that selects the client's pods, and silence the rule",
    };
  }
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
        set.length === 0
          ? `the client ${key} has no identifying field`
          : `the client ${key} has more than one identifying field: ${set.join(", ")}`,
      fix: set.length === 0 ? `remove the client, or add one of ${kinds.join(", ")}` : `remove ${set.slice(1).join(" and ")}`,
    };
  }
}

function* unknownWorkloads(environment: Environment): Iterable<RuleFinding> {
  const known = declaredPods(environment).map(({ name }) => name);
  for (const { key, client, at } of clientsOf(environment)) {
    if (client.workload === undefined || known.includes(client.workload)) continue;
    yield {
      paths: [at("access", "clients", key, "workload")],
      message: `the client ${key} refers to ${client.workload}, but the spec does not contain workloads.${client.workload.replace("/", ".pods.")}`,
      fix: didYouMean(client.workload, known) ?? "use serviceAccountRef for pods that are not in this spec",
    };
  }
}

function* unknownPorts(environment: Environment): Iterable<RuleFinding> {
  for (const { name, key, client, set, at } of clientsOf(environment))
    for (const port of client.ports ?? []) {
      if (portKey(port, set.ports) !== null) continue;
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
      message: `builtin: ${client.builtin} needs the addresses of ${client.builtin === "kubelet" ? "the nodes" : "the API server"}, but the spec does not contain them`,
      fix: `set cluster.networks.${field}: [${example}], if ${client.builtin === "kubelet" ? "the nodes are in this network" : "this is the address of the API server"}`,
    };
  }
}

function* unmeshedClients(environment: Environment): Iterable<RuleFinding> {
  for (const { key, client, set, at } of clientsOf(environment)) {
    const { namespace = "" } = client.serviceAccountRef ?? {};
    const reason = unmeshedReason(namespace, environment);
    if (set.access.mode === "off" || reason === null) continue;
    yield {
      paths: [at("access", "clients", key, "serviceAccountRef")],
      message: `${reason}. The policies then refuse the client ${key}`,
      fix: `set namespaces.${namespace}.mesh.inject: enabled`,
    };
  }
}

function* weakClients(environment: Environment): Iterable<RuleFinding> {
  for (const { name, key, client, set, at } of clientsOf(environment)) {
    const open = client.builtin === "everyone" || client.cidrs?.some((cidr) => cidr.endsWith("/0")) === true;
    if (!open || set.access.mode === "off") continue;
    yield {
      paths: [at("access", "clients", key, client.builtin === undefined ? "cidrs" : "builtin")],
      message: `the entry ${key} in access.clients admits every program that can reach ${name}`,
      fix:
        client.builtin === undefined
          ? "remove cidrs, and add an entry for each client"
          : "set builtin: meshed, or replace this entry with one entry for each client",
    };
  }
}

function* prometheus({ spec: { monitoring } }: Environment): Iterable<RuleFinding> {
  const found = monitoring.prometheus;
  if (found === undefined) return;
  const set = (["serviceAccountRef", "cidrs", "unmeshed"] as const).filter((field) => found[field] !== undefined);
  if (set.length === 1) return;
  yield {
    paths: [spec("monitoring", "prometheus")],
    part: "key",
    message:
      set.length === 0
        ? "monitoring.prometheus has no identifying field"
        : `monitoring.prometheus has more than one identifying field: ${set.join(", ")}`,
    fix:
      set.length === 0
        ? "remove monitoring.prometheus, or add one of the fields serviceAccountRef, cidrs and unmeshed"
        : `remove ${set.slice(1).join(" and ")}`,
  };
}

function* networks(environment: Environment): Iterable<RuleFinding> {
  const { cluster, monitoring } = environment.spec;
  const all = [
    ...clientsOf(environment).map(({ key, client, at }) => ({
      list: client.cidrs ?? [],
      path: at("access", "clients", key, "cidrs"),
    })),
    { list: cluster.networks.nodes, path: spec("cluster", "networks", "nodes") },
    { list: cluster.networks.apiServer, path: spec("cluster", "networks", "apiServer") },
    { list: monitoring.prometheus?.cidrs ?? [], path: spec("monitoring", "prometheus", "cidrs") },
  ];
  for (const { list, path } of all)
    for (const [index, cidr] of list.entries()) {
      if (isNetwork(cidr)) continue;
      const address = cidr.split("/")[0] ?? "";
      yield {
        paths: [[...path, index]],
        message: `"${cidr}" is not a valid network`,
        fix:
          isNetwork(`${address}/32`) || isNetwork(`${address}/128`)
            ? `use a prefix length that is valid for this address, such as ${address}/${prefixLengthOf(address)}`
            : "use an IP address with a prefix length, such as 10.9.0.0/16",
      };
    }
}

/** Returns a prefix length that fits the zeros at the end of an address, such as 16 for `10.224.0.0`. */
function prefixLengthOf(address: string): number {
  if (address.includes(":")) return 128;
  const zeros = /(\.0)*$/.exec(address)?.[0].length ?? 0;
  return 32 - 8 * (zeros / 2);
}
