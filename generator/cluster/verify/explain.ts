import { meshedLabel } from "../../catalog/well-known.ts";
import type { AccessTarget, ClusterState } from "../../components/check.ts";
import type { CheckProblem } from "../../components/check-result.ts";
import type { Outcome } from "../../components/outcome.ts";
import { anchorGaps } from "../../identity/anchors.ts";
import { issuerIn } from "../../identity/cluster-certificates.ts";
import { certificatesIn, fingerprint } from "../../identity/pem.ts";
import type { KubernetesObject, StringMap } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import type { AttemptClient } from "../../mesh/attempt.ts";
import { evaluate, type Verdict } from "../../mesh/evaluate.ts";
import { admitsAllMeshed, namedIdentities } from "../../mesh/inbound-policy.ts";
import { anchorsOf, proxyOf } from "../../mesh/pod.ts";
import { isInSet } from "../../mesh/pod-set.ts";
import type { Probe } from "./probe.ts";
import type { ProbeRun } from "./run-probe.ts";

/** The name of a probe's call, and the outcome of the call. */
export interface Ended {
  readonly way: string;
  readonly outcome: Outcome;
}

/** Input of the access tests: the state of the cluster, and the pods that the probes connect to. */
export interface Scene {
  readonly state: ClusterState;
  readonly target: AccessTarget;
}

/** Returns the port numbers of the calls. Ignores a call if the target has no port with the name of the call. */
function portsOf(calls: readonly Ended[], { pods }: AccessTarget): number[] {
  return calls.flatMap(({ way }) => pods.ports[way]?.port ?? []);
}

function podsIn({ state, target }: Scene): KubernetesObject[] {
  return state.pods.filter((pod) => isInSet(pod, target.pods));
}

/** Converts a probe (a test pod of `meshops verify`) to a client for which `evaluate` can evaluate policies. */
export function attemptClientOf(client: Probe, namespaces: readonly KubernetesObject[], labels: StringMap = {}): AttemptClient {
  const { namespace, serviceAccount, meshed, forged } = client;
  return {
    namespace,
    namespaceLabels: namespaces.find(({ metadata }) => metadata.name === namespace)?.metadata.labels ?? {},
    labels: meshed || forged === true ? { [meshedLabel]: "linkerd", ...labels } : labels,
    identity: meshed ? { namespace, name: serviceAccount } : null,
  };
}

/** Evaluates a probe's connection to a port of a pod against NetworkPolicies and Linkerd's policies. */
function verdictOn(port: number, client: Probe, to: KubernetesObject, { state }: Scene, labels: StringMap = {}): Verdict {
  const from = attemptClientOf(client, state.namespaces, labels);
  return evaluate({ from, to, port }, state.policies, state.installation);
}

/**
 * Returns all reasons why the policies allow a client that they must refuse. If an object allows the client, the reason
 * contains the name of this object.
 */
export function explainAccess(through: readonly Ended[], probe: Probe, scene: Scene): (string | CheckProblem)[] {
  const { meshed } = probe;
  const [server] = podsIn(scene);
  if (server === undefined) return [`${scene.target.podTitle} has no pods`];
  if (through.length === 0)
    return [`the policies did not refuse the call; a proxy or ${scene.target.title} answered with an error`];
  const verdicts = portsOf(through, scene.target).map((port) => ({ port, ...verdictOn(port, probe, server, scene) }));
  const admitting = [...new Set(verdicts.flatMap(({ network }) => network.admitting))];
  const inNetwork = verdicts.some(({ network }) => network.selecting.length === 0)
    ? [
        {
          reason: `no NetworkPolicy selects pod ${server.metadata.name}`,
          fix: `run meshops status to check that component ${scene.target.policyComponent} is ready`,
        },
      ]
    : meshed || admitting.length === 0
      ? []
      : [`NetworkPolicy ${admitting.join(", ")} allows pods without a proxy`];
  // If no NetworkPolicy allows the probe but the target answered, the cluster does not enforce NetworkPolicies.
  const unenforced =
    !meshed && verdicts.some(({ network }) => network.selecting.length > 0 && !network.admits)
      ? [
          {
            reason: "the NetworkPolicies deny the call, but the cluster does not enforce NetworkPolicies",
            fix: "check that the cluster has a network policy engine (azure.cluster.networkPolicy)",
          },
        ]
      : [];
  const found = [...inNetwork, ...unenforced, ...meshHoles(verdicts, scene.target)];
  if (found.length > 0) return found;
  return [
    {
      reason: `the Servers and AuthorizationPolicies deny the call, but the proxy of the called pod allowed the call`,
      fix: `check the logs of container linkerd-proxy in the pods of ${scene.target.podTitle}`,
    },
  ];
}

/**
 * Returns the reasons why Linkerd allows all clients to connect. Possible reasons are a port that no Server selects,
 * and a Server or an AuthorizationPolicy that allows all clients on a port. Returns an empty list if no reason exists.
 */
function meshHoles(verdicts: readonly (Verdict & { readonly port: number })[], { podTitle }: AccessTarget): string[] {
  const unguarded = verdicts.filter(({ mesh }) => mesh.server === null).map(({ port }) => port);
  const weak = verdicts.flatMap(({ port, mesh: { server, authorizations } }) => {
    if (server === null) return [];
    const access = at(server, "spec", "accessPolicy");
    if (access !== undefined && access !== "deny")
      return [`Server ${server.metadata.name} allows all clients on port ${port}: its accessPolicy is ${String(access)}`];
    return authorizations
      .filter(admitsAllMeshed)
      .map(({ name }) => `AuthorizationPolicy ${name} allows all clients on port ${port} (Server ${server.metadata.name})`);
  });
  return [
    ...(unguarded.length === 0
      ? []
      : [
          `no Server selects port ${unguarded.join(" and ")} of ${podTitle}. The default inbound policy of the pods applies instead, and admits the client`,
        ]),
    ...weak,
  ];
}

/** For each port, returns the reason why a listed client was refused. */
export function explainDenial(bad: readonly Ended[], probe: Probe, scene: Scene): (string | CheckProblem)[] {
  const { target } = scene;
  const [server] = podsIn(scene);
  const identity = `${probe.serviceAccount}.${probe.namespace}`;
  const causes = portsOf(bad, target).map((port): string | CheckProblem => {
    const authorizations = server === undefined ? [] : verdictOn(port, probe, server, scene).mesh.authorizations;
    const accounts = [...new Set(authorizations.flatMap(namedIdentities))];
    if (accounts.length === 0)
      return `a Server denies connections to port ${port} of ${target.podTitle}, and no AuthorizationPolicy allows these connections`;
    return {
      reason: `the AuthorizationPolicy of port ${port} lists ${accounts.join(", ")}, but not ${identity}`,
      fix: `check that ${target.fields.clients} contains this client, and that component ${target.policyComponent} is up to date`,
    };
  });
  const denied = bad.filter(({ outcome }) => outcome === "denied").map(({ way }) => way);
  return causes.length === 0 ? [`a Server refused these calls: ${denied.join(", ")}`] : causes;
}

/**
 * Returns all reasons why a meshed client gets no answer. Possible reasons are a NetworkPolicy, a target pod without a
 * proxy, and proxies that do not trust each other.
 */
export function explainSilence({ probe, pod }: ProbeRun, scene: Scene): (string | CheckProblem)[] {
  const { state, target } = scene;
  const { identity } = state;
  const pods = podsIn(scene);
  const [server] = pods;
  if (server === undefined) return [`${scene.target.podTitle} has no pods`];
  const verdicts = target.guarded
    .flatMap(({ name }) => target.pods.ports[name]?.port ?? [])
    .map((port) => verdictOn(port, probe, server, scene, pod?.metadata.labels));
  const blocked = [...new Set(verdicts.filter(({ network }) => !network.admits).map(({ network }) => network.port))];
  const bare = pods.filter((each) => proxyOf(each) === undefined).map(({ metadata }) => metadata.name);
  const gaps = anchorGaps(pods, identity.trustRoots, issuerIn(identity)).filter(({ breaks }) => breaks);
  const distrust = gaps.length > 0 || (pod !== null && bare.length === 0 && !shareAnchor(pod, server));
  const causes = [
    ...(blocked.length === 0
      ? []
      : [
          `no NetworkPolicy allows meshed pods of ${probe.namespace} to connect to port ${blocked.join(", ")} of ${target.podTitle}. The proxies of meshed pods connect to this port`,
        ]),
    ...(bare.length === 0
      ? []
      : [
          `${bare.join(", ")} ${bare.length === 1 ? "has" : "have"} no proxy. Without a proxy, nothing listens on port 4143 (the inbound port of a proxy)`,
        ]),
    ...(distrust
      ? [
          {
            reason: `the proxies of the probe and of ${target.podTitle} trust different trust anchors (see test M2)`,
            fix: `restart the pods of ${target.podTitle} with kubectl rollout restart`,
          },
        ]
      : []),
  ];
  return causes.length === 0
    ? [{ reason: "the policies allow the connection, but the calls get no answer", fix: "see the results of the tests M1 to M5" }]
    : causes;
}

/** Whether two proxies have a common trust anchor. Also true if the trust anchors of a proxy cannot be determined. */
function shareAnchor(one: KubernetesObject, other: KubernetesObject): boolean {
  const [own, others] = [one, other].map((pod) => certificatesIn(anchorsOf(pod) ?? null).map(fingerprint));
  if (own === undefined || others === undefined || own.length === 0 || others.length === 0) return true;
  return own.some((anchor) => others.includes(anchor));
}
