import { portKeys, proxyPrefix } from "../../catalog/well-known.ts";
import { annotationsOf } from "../../kubernetes/manifest-set.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { parseManifests } from "../../kubernetes/read.ts";
import { admitsEveryPod, defaultPolicyIn } from "../../mesh/installation.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { overlayFolder } from "../../spec/layout.ts";
import { type FileRule, type RepositoryFiles, type RuleFinding, spec } from "../../spec/rule.ts";
import { dgraphName } from "./names.ts";

/**
 * Rule for a change of `dgraph.internalPorts` from `skip` to another value. After this change, Servers protect the
 * internal ports.
 */
export const internalPortsStall: FileRule = {
  code: "internal-ports-stall",
  severity: "warning",
  title: "The rollout stalls if `internalPorts` changes from `skip` while `networkPolicy` is true",
  why:
    "Flux updates the policies before it updates Dgraph. The new Servers of ports 5080 and 7080 refuse clients without an identity. " +
    "Pods restart one by one. Pods that have not restarted connect to these ports without their proxy, so the restarted pods refuse these connections. " +
    "The pods that restart first therefore never become ready, and the HelmRelease becomes Stalled (linkerd2-proxy, inbound policy). The refused connections were observed on edge-26.8.3 with Dgraph 24.1.4.",
  fix:
    "1. Set `dgraph.networkPolicy: false`, generate, push, and wait until Dgraph is ready. 2. Change `dgraph.internalPorts`, generate, push, and wait until Dgraph is ready. 3. Set `dgraph.networkPolicy: true`, generate and push. " +
    "Between step 1 and step 3, every pod in the cluster can reach Dgraph.",
  check: protectsSkippedPorts,
};

/**
 * Rule for a change of `dgraph.internalPorts` to `skip`. After this change, no Server protects the internal ports. The
 * rule applies only if the default inbound policy refuses clients.
 */
export const internalPortsRefused: FileRule = {
  code: "internal-ports-refused",
  severity: "error",
  title: "Dgraph's pods would refuse each other's connections while `internalPorts` changes to `skip`",
  why:
    "Flux updates the policies before it updates Dgraph. Flux therefore removes the Servers of ports 5080 and 7080 while the running pods still receive connections to these ports through their proxies. " +
    "Without a Server, the default inbound policy applies. If this policy does not admit every pod, the proxies can close connections between Dgraph's pods (linkerd2-proxy, inbound policy). Dgraph's Raft groups then lose their quorum.",
  fix: "1. Set `namespaces.<namespace of Dgraph>.mesh.defaultInboundPolicy: all-unauthenticated`, generate, push, and restart Dgraph's pods one by one. 2. Change `dgraph.internalPorts`, generate, push, and wait until Dgraph is ready. 3. Remove `mesh.defaultInboundPolicy` from `namespaces.<namespace of Dgraph>`, generate and push.",
  check: exposesProxiedPorts,
};

function* exposesProxiedPorts(environment: Environment, files: RepositoryFiles): Iterable<RuleFinding> {
  const { enabled, internalPorts, namespace } = environment.spec.dgraph;
  if (!enabled || internalPorts !== "skip") return;
  const policy = runningPolicy(environment, files);
  if (admitsEveryPod(policy)) return;
  const policies = parseManifests(
    "authorization.yaml",
    generatedText(environment, files, "dgraph-policy/authorization.yaml"),
  ).objects;
  const server = policies.find(({ kind, name }) => kind === "Server" && name === `${dgraphName(environment, "alpha")}-internal`);
  if (server === undefined) return;
  const before = at(server.value, "spec", "proxyProtocol") === "opaque" ? "opaque" : "mesh";
  yield {
    paths: [spec("dgraph", "internalPorts"), spec("dgraph")],
    message: `the default inbound policy "${policy}" would refuse the connections between Dgraph's pods as soon as Flux removes the Servers of these pods`,
    fix: `set dgraph.internalPorts: ${before}, and push a commit with namespaces.${namespace}.mesh.defaultInboundPolicy: all-unauthenticated. Then restart Dgraph's pods, and change internalPorts in a second commit`,
  };
}

/**
 * Returns the default inbound policy that applies to Dgraph's running pods. The proxy injector copied the annotation of
 * the namespace to these pods when they were created. The function therefore reads the annotation from the existing
 * generated Namespace, not from the new spec. If the Namespace does not have the annotation, the default of the cluster
 * applies to the running pods, and a change of this default also applies to them.
 */
function runningPolicy(environment: Environment, files: RepositoryFiles): string {
  const { namespace } = environment.spec.dgraph;
  const { objects } = parseManifests("namespaces.yaml", generatedText(environment, files, "namespaces/namespaces.yaml"));
  const running = objects.find(({ kind, name }) => kind === "Namespace" && name === namespace);
  if (running === undefined) return defaultPolicyIn(namespace, environment);
  const annotation = annotationsOf(running)[`${proxyPrefix}default-inbound-policy`];
  return annotation === undefined ? environment.spec.linkerd.defaultInboundPolicy : String(annotation);
}

function* protectsSkippedPorts(environment: Environment, files: RepositoryFiles): Iterable<RuleFinding> {
  const { enabled, internalPorts, networkPolicy, namespace } = environment.spec.dgraph;
  if (!enabled || internalPorts === "skip" || !networkPolicy) return;
  const skipped = ["dgraph/values.yaml", "dgraph/patches.yaml"].some((path) =>
    generatedText(environment, files, path).includes(portKeys.skipOutbound),
  );
  if (!skipped) return;
  const servers = ["alpha-internal", "zero-internal"].map((part) => dgraphName(environment, part));
  yield {
    paths: [spec("dgraph", "internalPorts"), spec("dgraph")],
    message: `the rollout of Dgraph would stall. The new Servers ${servers.join(" and ")} would refuse connections from Dgraph's pods that have not restarted yet`,
    fix: admitsEveryPod(defaultPolicyIn(namespace, environment))
      ? "first set dgraph.networkPolicy: false, and follow the steps in meshops help access"
      : `first set namespaces.${namespace}.mesh.defaultInboundPolicy: all-unauthenticated, and restart Dgraph's pods; then follow the steps in meshops help access`,
  };
}

/** Returns the text of a generated file in the environment's overlay; empty if the file does not exist. */
function generatedText({ metadata }: Environment, { text }: RepositoryFiles, path: string): string {
  return text(`${overlayFolder(metadata.name)}/${path}`) ?? "";
}
