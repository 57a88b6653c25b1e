import { dgraphChart } from "../../catalog/dgraph.ts";
import { linkerdTrack } from "../../catalog/linkerd.ts";
import type { Environment } from "../environment.generated.ts";
import { didYouMean } from "../suggest.ts";
import { error, type Rule, type RuleFinding, spec, warning } from "./rule.ts";

/** Dgraph and its client. */
export const dgraphRules: readonly Rule[] = [
  zeroMajority,
  ownNamespaces,
  grpcRouteSupport,
  knownMethods,
  unusedMethods,
  clientImage,
];

function* zeroMajority({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { replicas } = dgraph.zero;
  if (replicas % 2 === 1) return;
  const message = `${replicas} Zeros survive no more failures than ${replicas - 1}: Raft needs a majority`;
  yield error("dgraph-zero-even", [spec("dgraph", "zero", "replicas")], message, `use ${replicas - 1} or ${replicas + 1}`);
}

/** Namespaces that belong to Kubernetes, AKS, Flux or the mesh. */
const reserved =
  /^(default|kube-.*|aks-.*|flux-system|calico-system|tigera-operator|gatekeeper-system|linkerd|linkerd-viz|linkerd-jaeger|grafana)$/;

function* ownNamespaces(environment: Environment): Iterable<RuleFinding> {
  for (const section of ["dgraph", "pydgraphClient"] as const) {
    const { namespace } = environment.spec[section];
    if (!reserved.test(namespace)) continue;
    const message = `the namespace ${namespace} belongs to somebody else`;
    yield error("namespace-reserved", [spec(section, "namespace")], message, "give it a namespace of its own");
  }
}

function* grpcRouteSupport({ spec: { dgraph, linkerd } }: Environment): Iterable<RuleFinding> {
  if (dgraph.serviceProfile !== "grpc-route" || linkerdTrack(linkerd.version).traits.grpcRoute) return;
  const paths = [spec("dgraph", "serviceProfile"), spec("linkerd", "version")];
  const message = `Linkerd ${linkerd.version} knows no GRPCRoute`;
  yield error("grpc-route-unsupported", paths, message, "use serviceProfile: true, or an edge release");
}

function* knownMethods({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  const { name: service, methods } = dgraphChart(dgraph.chart).api;
  for (const [name, { retry }] of Object.entries(dgraph.methods)) {
    const path = spec("dgraph", "methods", name);
    const method = methods.find((known) => known.name === name);
    if (method === undefined) {
      const names = methods.map((known) => known.name);
      const message = `${service} of chart ${dgraph.chart} has no method "${name}"`;
      const hint = didYouMean(name, names) ?? "methods are named as in Dgraph's api.proto";
      yield error("dgraph-method-unknown", [path], message, hint, `one of ${names.join(", ")}`);
    } else if (method.streaming && retry === true) {
      const message = `${name} is a stream: a proxy cannot send it again`;
      yield error("dgraph-method-stream", [[...path, "retry"]], message, "leave retry out");
    }
  }
}

function* unusedMethods({ spec: { dgraph } }: Environment): Iterable<RuleFinding> {
  if (dgraph.serviceProfile !== false || Object.keys(dgraph.methods).length === 0) return;
  const message = "retries and timeouts stand in the service profile, and there is none";
  const hint = "set serviceProfile: true, or leave methods out";
  yield warning("dgraph-methods-unused", [spec("dgraph", "methods")], message, hint);
}

function* clientImage({ spec: { azure, pydgraphClient } }: Environment): Iterable<RuleFinding> {
  if (!pydgraphClient.enabled || pydgraphClient.image !== undefined || azure?.registry !== undefined) return;
  const paths = [spec("pydgraphClient", "enabled"), spec("pydgraphClient")];
  const message = "the client's image is nowhere: there is no azure.registry that it could be built in";
  yield error("client-image", paths, message, "set pydgraphClient.image, or pydgraphClient.enabled: false");
}
