import ipaddr from "ipaddr.js";
import { dgraphChart } from "../../catalog/dgraph.ts";
import { linkerdRelease } from "../../catalog/linkerd.ts";
import { didYouMean } from "../../diagnostics/suggest.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { type Rule, type RuleFinding, spec } from "../../spec/rule.ts";

/** Dgraph: its replicas, who may use it, and its methods. */
export const dgraphRules: readonly Rule[] = [
  {
    code: "dgraph-zero-even",
    severity: "error",
    title: "An even number of Zeros",
    why: "Raft needs a majority: two Zeros stop when one of them does, four survive no more than three do (Raft paper, section 5).",
    fix: "Use an odd number.",
    check: zeroMajority,
  },
  {
    code: "dgraph-alpha-too-few",
    severity: "error",
    title: "Fewer Alphas than copies of the data",
    why:
      "Each shard is kept by as many Alphas as `replicationFactor` says (Dgraph's Zero: `--replicas`). With fewer there are not that many copies: " +
      "a node that is lost takes data with it that the spec says is safe.",
    fix: "Raise `alpha.replicas`, or lower `replicationFactor` to what there is.",
    check: enoughAlphas,
  },
  {
    code: "dgraph-alpha-group",
    severity: "warning",
    title: "The last group of Alphas is not whole",
    why:
      "Zero fills groups one after the other. Alphas beyond a multiple of `replicationFactor` start a group of their own with fewer copies than the others; " +
      "a group of two stops when either member does.",
    fix: "Make `alpha.replicas` a multiple of `replicationFactor`.",
    check: wholeGroups,
  },
  {
    code: "dgraph-whitelist-open",
    severity: "warning",
    title: "Everybody may call Alpha's admin operations",
    why:
      "Addresses on the whitelist may alter the schema, drop all data, back up and export (Dgraph docs, “Whitelisting admin operations”). " +
      "Behind its proxy Alpha sees the address of its own pod, for every call, so for meshed callers `clients` decide. " +
      "A range with a prefix shorter than 8 bits also admits callers from public addresses that reach Alpha without the proxy.",
    fix: "Name the ranges of the nodes and of the pods, such as 10.0.0.0/8.",
    check: narrowWhitelist,
  },
  {
    code: "internal-ports-skipped",
    severity: "warning",
    title: "Raft passes outside the mesh",
    why:
      "Skipped ports bypass the proxy: 5080 and 7080 carry Raft and replication in plaintext, without identity, and no Server guards them. " +
      "`opaque` keeps mutual TLS and identity, and works with every protocol.",
    fix: "Set `internalPorts: opaque`.",
    check: meshedInternalPorts,
  },
  {
    code: "grpc-route-unsupported",
    severity: "error",
    title: "GRPCRoutes on a Linkerd that does not read them",
    why: "Linkerd reads the Gateway API's GRPCRoute from 2.16 on. An older one ignores it: no metrics a method, no retries, no timeouts.",
    fix: "Use `serviceProfile: true`, or an edge release.",
    check: grpcRouteSupport,
  },
  {
    code: "dgraph-method-unknown",
    severity: "error",
    title: "A gRPC method that Dgraph does not have",
    why: "Routes are matched by the method's name (Dgraph's api.proto). One for a name that nobody calls never applies.",
    fix: "Write the method as api.proto does.",
    check: knownMethods,
  },
  {
    code: "dgraph-method-stream",
    severity: "error",
    title: "A retry of a stream",
    why: "A proxy retries a call by sending its one message again. Of a stream it has no copy to send.",
    fix: "Leave `retry` out.",
    check: retriedStreams,
  },
  {
    code: "dgraph-methods-unused",
    severity: "warning",
    title: "Retries and timeouts without a service profile",
    why: "They stand in the ServiceProfile or the GRPCRoutes. With `serviceProfile: false` there is neither, so they do nothing.",
    fix: "Set `serviceProfile: true`, or leave `methods` out.",
    check: unusedMethods,
  },
];

function* zeroMajority({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { replicas } = dgraph.zero;
  if (replicas % 2 === 1) return;
  yield {
    paths: [spec("dgraph", "zero", "replicas")],
    message: `${replicas} Zeros survive no more failures than ${replicas - 1}: Raft needs a majority`,
    fix: `use ${replicas - 1} or ${replicas + 1}`,
  };
}

const alphaPaths = [spec("dgraph", "alpha", "replicas"), spec("dgraph", "replicationFactor")];

function* enoughAlphas({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { alpha, replicationFactor } = dgraph;
  if (alpha.replicas >= replicationFactor) return;
  yield {
    paths: alphaPaths,
    message: `${alpha.replicas} of ${replicationFactor} copies: there are fewer Alphas than replicationFactor asks for`,
    fix: `use ${replicationFactor} Alphas, or replicationFactor: 1`,
  };
}

function* wholeGroups({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { alpha, replicationFactor } = dgraph;
  const left = alpha.replicas % replicationFactor;
  if (left === 0 || alpha.replicas < replicationFactor) return;
  yield {
    paths: alphaPaths,
    message: `the last group has ${left} of ${replicationFactor} members`,
    fix: `use ${alpha.replicas - left} or ${alpha.replicas - left + replicationFactor} Alphas`,
  };
}

/** No block of private addresses is larger than 10.0.0.0/8 (RFC 1918). */
const shortestPrivatePrefix = 8;

function* narrowWhitelist({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  for (const [index, range] of dgraph.alpha.whitelist.entries()) {
    const prefix = range.includes("/") ? ipaddr.parseCIDR(range)[1] : 32;
    if (prefix >= shortestPrivatePrefix) continue;
    yield {
      paths: [spec("dgraph", "alpha", "whitelist", index)],
      message: `${prefix === 0 ? "every address" : "public addresses"} may alter the schema, drop all data and export it`,
      fix: "name the ranges of nodes and pods, such as 10.0.0.0/8",
    };
  }
}

function* meshedInternalPorts({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  if (dgraph.internalPorts !== "skip") return;
  yield {
    paths: [spec("dgraph", "internalPorts")],
    message: "5080 and 7080 bypass the mesh: Raft goes in plaintext, and no policy guards it",
    fix: "use opaque",
  };
}

function* grpcRouteSupport({ spec: { dgraph, linkerd } }: Environment): Iterable<RuleFinding> {
  if (dgraph.serviceProfile !== "grpc-route" || linkerdRelease(linkerd.version).traits.grpcRoute) return;
  yield {
    paths: [spec("dgraph", "serviceProfile"), spec("linkerd", "version")],
    message: `Linkerd ${linkerd.version} knows no GRPCRoute`,
    fix: "use serviceProfile: true, or an edge release",
  };
}

function* knownMethods({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { name: service, methods } = dgraphChart(dgraph.chart).api;
  const names = methods.map((method) => method.name);
  for (const name of Object.keys(dgraph.methods)) {
    if (names.includes(name)) continue;
    yield {
      paths: [spec("dgraph", "methods", name)],
      message: `${service} of chart ${dgraph.chart} has no method "${name}"`,
      fix: didYouMean(name, names) ?? "methods are named as in Dgraph's api.proto",
      expected: `one of ${names.join(", ")}`,
    };
  }
}

function* retriedStreams({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  for (const { name, streaming } of dgraphChart(dgraph.chart).api.methods) {
    if (!streaming || dgraph.methods[name]?.retry !== true) continue;
    yield {
      paths: [spec("dgraph", "methods", name, "retry")],
      message: `${name} is a stream: a proxy cannot send it again`,
      fix: "leave retry out",
    };
  }
}

function* unusedMethods({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  if (dgraph.serviceProfile !== false || Object.keys(dgraph.methods).length === 0) return;
  yield {
    paths: [spec("dgraph", "methods")],
    message: "retries and timeouts stand in the service profile, and there is none",
    fix: "set serviceProfile: true, or leave methods out",
  };
}
