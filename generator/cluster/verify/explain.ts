import { dgraphPorts } from "../../catalog/dgraph.ts";
import { meshedLabel } from "../../catalog/well-known.ts";
import { certificatesIn, fingerprint } from "../../identity/pem.ts";
import type { KubernetesObject, StringMap } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { type Attempt, evaluate, type Verdict } from "../../mesh/evaluate.ts";
import { anchorsOf, proxyOf } from "../../mesh/pod.ts";
import { anchorGaps } from "../anchors.ts";
import { issuerIn } from "../certificates.ts";
import { alphasIn, type ClusterState } from "./cluster-state.ts";
import type { Outcome } from "./outcome.ts";
import type { Probe } from "./probe.ts";
import type { ProbeRun } from "./run-probe.ts";

/** A call of a probe by its name, and how it ended. */
export interface Ended {
  readonly way: string;
  readonly outcome: Outcome;
}

/** Alpha's port of a call. */
const ports: Readonly<Record<string, number>> = { http: dgraphPorts.alpha.http, grpc: dgraphPorts.alpha.grpc };

function portsOf(calls: readonly Ended[]): number[] {
  return calls.flatMap(({ way }) => ports[way] ?? []);
}

/** What both layers decide about a probe's connection to a port of Alpha. */
function verdictOn(port: number, client: Probe, alpha: KubernetesObject, state: ClusterState, labels: StringMap = {}): Verdict {
  const { namespace, serviceAccount, meshed, forged } = client;
  const from: Attempt["from"] = {
    namespace,
    labels: meshed || forged === true ? { [meshedLabel]: "linkerd", ...labels } : labels,
    identity: meshed ? { namespace, name: serviceAccount } : null,
  };
  return evaluate({ from, to: alpha, port }, state.policies, state.linkerdRelease);
}

/** All causes why a client that should be refused got through: what each layer leaves open, with the objects that were read. */
export function explainAccess(through: readonly Ended[], probe: Probe, clusterState: ClusterState): string[] {
  const { meshed } = probe;
  const [alpha] = alphasIn(clusterState);
  if (alpha === undefined) return ["Alpha has no pods"];
  if (through.length === 0) return ["a proxy or Dgraph answers in error instead of being kept from answering"];
  const verdicts = portsOf(through).map((port) => ({ port, ...verdictOn(port, probe, alpha, clusterState) }));
  const admitting = [...new Set(verdicts.flatMap(({ network }) => network.admitting))];
  const inNetwork = verdicts.some(({ network }) => network.selecting.length === 0)
    ? [`no NetworkPolicy selects ${alpha.metadata.name}: is dgraph-policy ready? meshops status`]
    : meshed || admitting.length === 0
      ? []
      : [`NetworkPolicy ${admitting.join(", ")} admits pods without a proxy`];
  const found = [...inNetwork, ...meshHoles(verdicts)];
  if (found.length > 0) return found;
  return [
    meshed
      ? "Server and AuthorizationPolicy forbid it: does the proxy of Alpha have them? kubectl logs of container linkerd-proxy"
      : "the NetworkPolicies forbid it and nothing enforces them: does the cluster have a network policy engine (azure.cluster.networkPolicy)?",
  ];
}

/** What the mesh leaves open on ports of Alpha, port by port: two ports may be open for different reasons. */
function meshHoles(verdicts: readonly (Verdict & { readonly port: number })[]): string[] {
  const unguarded = verdicts.filter(({ mesh }) => mesh.server === null).map(({ port }) => port);
  const weak = verdicts.flatMap(({ port, mesh: { server, authorizations } }) => {
    if (server === null) return [];
    const access = at(server, "spec", "accessPolicy");
    if (access !== undefined && access !== "deny")
      return [`Server ${server.metadata.name} admits everyone on port ${port}: its accessPolicy is ${String(access)}`];
    return authorizations
      .filter(({ accounts }) => accounts.includes("*"))
      .map(({ name }) => `AuthorizationPolicy ${name} admits everyone on port ${port} (Server ${server.metadata.name})`);
  });
  return [
    ...(unguarded.length === 0
      ? []
      : [`no Server guards port ${unguarded.join(" and ")} of Alpha, so every meshed pod may use it`]),
    ...weak,
  ];
}

/** All causes why a listed client was refused, port by port. */
export function explainDenial(bad: readonly Ended[], probe: Probe, clusterState: ClusterState): string[] {
  const [alpha] = alphasIn(clusterState);
  const identity = `${probe.serviceAccount}.${probe.namespace}`;
  const causes = portsOf(bad).map((port): string => {
    const authorizations = alpha === undefined ? [] : verdictOn(port, probe, alpha, clusterState).mesh.authorizations;
    const accounts = [...new Set(authorizations.flatMap((each) => each.accounts))];
    if (accounts.length === 0) return `a Server closes port ${port} of Alpha, and no AuthorizationPolicy opens it`;
    return `the AuthorizationPolicy of port ${port} lists ${accounts.join(", ")}, not ${identity}: is it in dgraph.clients, and dgraph-policy up to date?`;
  });
  return causes.length === 0 ? ["refused by a Server of another port"] : causes;
}

/** All causes why a meshed client does not get through: the network, an Alpha without a proxy, or proxies that do not trust each other. */
export function explainSilence({ probe, pod }: ProbeRun, clusterState: ClusterState): string[] {
  const { identity } = clusterState;
  const alphas = alphasIn(clusterState);
  const [alpha] = alphas;
  if (alpha === undefined) return ["Alpha has no pods"];
  const verdicts = Object.values(ports).map((port) => verdictOn(port, probe, alpha, clusterState, pod?.metadata.labels));
  const blocked = [...new Set(verdicts.filter(({ network }) => !network.admits).map(({ network }) => network.port))];
  const bare = alphas.filter((each) => proxyOf(each) === undefined).map(({ metadata }) => metadata.name);
  const gaps = anchorGaps(alphas, identity.trustRoots, issuerIn(identity)).filter(({ breaks }) => breaks);
  const distrust = gaps.length > 0 || (pod !== null && bare.length === 0 && !shareAnchor(pod, alpha));
  const causes = [
    ...(blocked.length === 0
      ? []
      : [
          `no NetworkPolicy admits meshed pods of ${probe.namespace} to port ${blocked.join(", ")} of Alpha, which proxies connect to`,
        ]),
    ...(bare.length === 0
      ? []
      : [`${bare.join(", ")} ${bare.length === 1 ? "has" : "have"} no proxy, so nothing answers there on port 4143`]),
    ...(distrust ? ["the probe's proxy and Alpha's trust different anchors (see M2): kubectl rollout restart"] : []),
  ];
  return causes.length === 0 ? ["the proxies get no answer, though policies admit them: see M1 to M5"] : causes;
}

/** Whether two proxies trust a common anchor; true if one of them does not list its anchors. */
function shareAnchor(one: KubernetesObject, other: KubernetesObject): boolean {
  const [own, others] = [one, other].map((pod) => certificatesIn(anchorsOf(pod) ?? null).map(fingerprint));
  if (own === undefined || others === undefined || own.length === 0 || others.length === 0) return true;
  return own.some((anchor) => others.includes(anchor));
}
