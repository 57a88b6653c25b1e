import ipaddr from "ipaddr.js";
import { dgraphChart, dgraphCharts, isKnownDgraphChart, nearestDgraphChart } from "../../catalog/dgraph.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import { defaultPolicyIn } from "../../mesh/installation.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";
import { plural } from "../../system/text.ts";

/** Rules for Dgraph: replicas, access and gRPC methods. The rules apply only to environments with Dgraph. */
export const dgraphRules: readonly Rule[] = rulesOfDgraph().map((rule) => ({
  ...rule,
  check: (environment) => (environment.spec.dgraph.enabled ? rule.check(environment) : []),
}));

function rulesOfDgraph(): readonly Rule[] {
  return [
    {
      code: "dgraph-zero-even",
      severity: "error",
      title: "The number of Zeros is even",
      why: "Raft needs a majority of the members. Two Zeros stop if one of them fails. Four Zeros tolerate one failure. Three Zeros also tolerate one failure (Raft paper, section 5).",
      fix: "Set `zero.replicas` to an odd number.",
      check: zeroMajority,
    },
    {
      code: "dgraph-alpha-too-few",
      severity: "error",
      title: "There are fewer Alphas than required copies of the data",
      why:
        "Each shard has `replicationFactor` copies, and each copy is on a different Alpha (Dgraph's Zero: `--replicas`). If there are fewer Alphas than `replicationFactor`, some of these copies do not exist. " +
        "If a node then fails, data can be lost.",
      fix: "Increase `alpha.replicas`, or reduce `replicationFactor` to the number of Alphas.",
      check: enoughAlphas,
    },
    {
      code: "dgraph-alpha-group",
      severity: "warning",
      title: "The last group of Alphas is incomplete",
      why:
        "Zero assigns Alphas to one group until this group is full, then to the next group. If the number of Alphas is not a multiple of `replicationFactor`, the last group has fewer members than the other groups. " +
        "For example, a group of two members stops if one of them fails.",
      fix: "Set `alpha.replicas` to a multiple of `replicationFactor`.",
      check: wholeGroups,
    },
    {
      code: "dgraph-nodes-too-few",
      severity: "warning",
      title: "Hard anti-affinity needs more nodes than the cluster has",
      why: "With `antiAffinity: hard`, Kubernetes runs at most one pod of the StatefulSet on each node. If the cluster has fewer nodes than the StatefulSet has pods, the remaining pods stay Pending. The Helm release then fails after its timeout.",
      fix: "Set `azure.cluster.nodeCount` to at least the number of replicas, reduce the replicas, or set `antiAffinity: soft`. If the cluster has more node pools, silence the rule.",
      check: enoughNodes,
    },
    {
      code: "dgraph-preview",
      severity: "warning",
      title: "An environment with high availability runs a preview of Dgraph",
      why: "Dgraph's project publishes previews only for tests. The final release may not be able to read the files that a preview writes. To change from the preview to the release, you then have to export and import the data.",
      fix: "Use a chart without `-preview` in its version.",
      check: previewInProduction,
    },
    {
      code: "dgraph-chart-untested",
      severity: "warning",
      title: "The catalog does not contain the version of Dgraph's chart",
      why: "meshops has not been tested with this version. It installs the chart with the settings of the catalog version that the finding specifies. It also assumes that the chart and the image have the same version. All charts since 24.0.0 meet this assumption.",
      fix: "Use a version in the catalog, or test this version and silence the rule. Contributors add the version to the catalog with `npm run catalog:add`.",
      check: untestedChart,
    },
    {
      code: "dgraph-whitelist-open",
      severity: "warning",
      title: "Alpha's admin operations are open to public addresses",
      why:
        "Clients with an address on the whitelist are allowed to alter the schema, to drop all data, and to back up and export data (Dgraph docs, “Whitelisting admin operations”). " +
        "For every call through its proxy, Alpha receives the address of its own pod as the caller's address. The whitelist therefore does not restrict meshed clients. Only `dgraph.clients` restricts meshed clients. " +
        "A range with a prefix shorter than 8 bits contains public addresses. If the whitelist contains such a range, clients with public addresses can run admin operations over connections that bypass Alpha's proxy.",
      fix: "Set `alpha.whitelist` to the address ranges of the nodes and the pods, such as 10.0.0.0/8.",
      check: narrowWhitelist,
    },
    {
      code: "internal-ports-skipped",
      severity: "warning",
      title: "Raft traffic bypasses the mesh",
      why:
        "Connections to skipped ports bypass the proxy. If ports 5080 and 7080 are skipped, Raft and replication traffic is not encrypted and not authenticated, and no Server protects these ports. " +
        "With `internalPorts: opaque`, traffic on these ports uses mutual TLS, and clients have an identity. Opaque ports work with every protocol.",
      fix: "Set `internalPorts: opaque`.",
      check: meshedInternalPorts,
    },
    {
      code: "dgraph-method-unknown",
      severity: "error",
      title: "`dgraph.methods` contains a method that Dgraph does not have",
      why: "A route matches calls by the name of the method (Dgraph's api.proto). A route for a method that does not exist matches no calls.",
      fix: "Use the name of a method in Dgraph's api.proto.",
      check: knownMethods,
    },
    {
      code: "dgraph-method-stream",
      severity: "error",
      title: "A streaming method cannot be retried",
      why: "To retry a call, a proxy sends the call's single message again. A streaming call has many messages, and the proxy does not store copies of these messages.",
      fix: "Remove `retry` from the method.",
      check: retriedStreams,
    },
    {
      code: "dgraph-closed",
      severity: "error",
      title: "The default inbound policy refuses all connections to Dgraph",
      why: "With `networkPolicy: false`, no Server protects Dgraph's ports, so the default inbound policy applies to these ports. The default inbound policy `deny` refuses all clients. If `internalPorts` is not `skip`, it also refuses the connections between Dgraph's own pods.",
      fix: "Set `namespaces.<namespace of Dgraph>.mesh.defaultInboundPolicy: all-unauthenticated`, push, and restart Dgraph's pods. After the restart, set `networkPolicy: false`.",
      check: closedByDefault,
    },
    {
      code: "dgraph-methods-unused",
      severity: "warning",
      title: "Retries and timeouts are set, but no ServiceProfile or GRPCRoute is generated",
      why: "`dgraph.methods` sets retries and timeouts, which meshops writes to the ServiceProfile or the GRPCRoutes. With `serviceProfile: false`, meshops generates neither of them, so `dgraph.methods` has no effect.",
      fix: "Set `serviceProfile: true`, or remove `methods`.",
      check: unusedMethods,
    },
  ];
}

function* enoughNodes({ spec: { azure, dgraph } }: Environment): Iterable<RuleFinding> {
  const cluster = azure?.cluster;
  if (!dgraph.enabled || cluster === undefined || cluster.lifecycle === "existing" || cluster.autoProvisioning) return;
  for (const role of ["alpha", "zero"] as const) {
    const { antiAffinity, replicas } = dgraph[role];
    if (antiAffinity !== "hard" || replicas <= cluster.nodeCount) continue;
    yield {
      paths: [spec("dgraph", role, "antiAffinity"), spec("dgraph", role, "replicas"), spec("azure", "cluster", "nodeCount")],
      message: `${plural(replicas - cluster.nodeCount, "pod")} of ${role} would stay Pending: with antiAffinity: hard, ${plural(replicas, "replica")} need ${replicas} nodes, but nodeCount is ${cluster.nodeCount}`,
      fix: `set azure.cluster.nodeCount: ${replicas}, or set dgraph.${role}.antiAffinity: soft`,
    };
  }
}

function* zeroMajority({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { replicas } = dgraph.zero;
  if (replicas % 2 === 1) return;
  yield {
    paths: [spec("dgraph", "zero", "replicas")],
    message: `${replicas} Zeros tolerate the same number of failures as ${plural(replicas - 1, "Zero")}, because Raft needs a majority`,
    fix: `set zero.replicas to ${replicas - 1} or ${replicas + 1}`,
  };
}

const alphaPaths = [spec("dgraph", "alpha", "replicas"), spec("dgraph", "replicationFactor")];

function* enoughAlphas({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { alpha, replicationFactor } = dgraph;
  if (alpha.replicas >= replicationFactor) return;
  yield {
    paths: alphaPaths,
    message: `${plural(alpha.replicas, "Alpha")} cannot store ${replicationFactor} copies of each shard`,
    fix: `set alpha.replicas: ${replicationFactor}, or replicationFactor: 1`,
  };
}

function* wholeGroups({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { alpha, replicationFactor } = dgraph;
  const left = alpha.replicas % replicationFactor;
  if (left === 0 || alpha.replicas < replicationFactor) return;
  yield {
    paths: alphaPaths,
    message: `the last group of Alphas has ${left} of ${replicationFactor} members`,
    fix: `set alpha.replicas to ${alpha.replicas - left} or ${alpha.replicas - left + replicationFactor}`,
  };
}

function* untestedChart({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { chart } = dgraph;
  if (isKnownDgraphChart(chart)) return;
  const nearest = nearestDgraphChart(chart)?.version;
  yield {
    paths: [spec("dgraph", "chart")],
    message: `the catalog of meshops does not contain Dgraph chart ${chart}. The generated files use the settings of chart ${nearest} and the image tag v${chart}`,
    fix: `set chart: ${dgraphCharts.find((known) => !known.version.includes("-preview"))?.version}`,
  };
}

function* previewInProduction({ spec: { dgraph, linkerd } }: Environment): Iterable<RuleFinding> {
  if (!linkerd.highAvailability || !dgraph.chart.includes("-preview")) return;
  const release = dgraphCharts.find(({ version }) => !version.includes("-preview"));
  yield {
    paths: [spec("dgraph", "chart")],
    message: `chart ${dgraph.chart} is a preview, but the environment uses high availability`,
    fix: `set chart: ${release?.version}`,
  };
}

/** Prefix length of the largest block of private addresses, 10.0.0.0/8 (RFC 1918). */
const shortestPrivatePrefix = 8;

function* narrowWhitelist({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  for (const [index, range] of dgraph.alpha.whitelist.entries()) {
    const prefix = range.includes("/") ? ipaddr.parseCIDR(range)[1] : 32;
    if (prefix >= shortestPrivatePrefix) continue;
    yield {
      paths: [spec("dgraph", "alpha", "whitelist", index)],
      message: `the whitelist of Alpha contains ${prefix === 0 ? "all addresses" : "public addresses"}. Clients with these addresses can run admin operations, such as dropping all data, if no policy refuses their connections`,
      fix: "use the address ranges of the nodes and the pods, such as 10.0.0.0/8",
    };
  }
}

function* meshedInternalPorts({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  if (dgraph.internalPorts !== "skip") return;
  yield {
    paths: [spec("dgraph", "internalPorts")],
    message: "ports 5080 and 7080 bypass the mesh: Raft traffic is not encrypted, and no Server protects these ports",
    fix: "set internalPorts: opaque",
  };
}

function* knownMethods({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { name: service, methods } = dgraphChart(dgraph.chart).api;
  const names = methods.map((method) => method.name);
  for (const name of Object.keys(dgraph.methods)) {
    if (names.includes(name)) continue;
    yield {
      paths: [spec("dgraph", "methods", name)],
      message: `the gRPC service ${service} of Dgraph chart ${dgraph.chart} has no method "${name}"`,
      fix: didYouMean(name, names) ?? "remove this method, or use the name of a method in Dgraph's api.proto",
      expected: `one of ${names.join(", ")}`,
    };
  }
}

function* retriedStreams({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  for (const { name, streaming } of dgraphChart(dgraph.chart).api.methods) {
    if (!streaming || dgraph.methods[name]?.retry !== true) continue;
    yield {
      paths: [spec("dgraph", "methods", name, "retry")],
      message: `a proxy cannot retry ${name}, because ${name} is a streaming method`,
      fix: "remove retry from this method",
    };
  }
}

function* closedByDefault(environment: Environment): Iterable<RuleFinding> {
  const { namespace, networkPolicy } = environment.spec.dgraph;
  if (networkPolicy || defaultPolicyIn(namespace, environment) !== "deny") return;
  yield {
    paths: [spec("dgraph", "networkPolicy"), spec("dgraph"), spec("linkerd", "defaultInboundPolicy")],
    message:
      'without policies for Dgraph, the default inbound policy "deny" applies. The proxies of Dgraph then refuse all connections',
    fix: `set namespaces.${namespace}.mesh.defaultInboundPolicy: all-unauthenticated; if Dgraph already runs, first push this change with dgraph.networkPolicy: true, then restart Dgraph's pods, and then set dgraph.networkPolicy: false`,
  };
}

function* unusedMethods({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  if (dgraph.serviceProfile !== false || Object.keys(dgraph.methods).length === 0) return;
  yield {
    paths: [spec("dgraph", "methods")],
    message: "dgraph.methods has no effect, because serviceProfile: false disables both the ServiceProfile and the GRPCRoutes",
    fix: "set serviceProfile: true, or remove methods",
  };
}
