import { meshedLabel } from "../../catalog/well-known.ts";
import type { AccessTarget, ClusterState } from "../../components/check.ts";
import type { Outcome } from "../../components/outcome.ts";
import { anchorGaps } from "../../identity/anchors.ts";
import { issuerIn } from "../../identity/cluster-certificates.ts";
import { certificatesIn, fingerprint } from "../../identity/pem.ts";
import type { KubernetesObject, StringMap } from "../../kubernetes/object.ts";
import { at } from "../../kubernetes/object-fields.ts";
import { type Attempt, evaluate, type Verdict } from "../../mesh/evaluate.ts";
import { anchorsOf, proxyOf } from "../../mesh/pod.ts";
import { isInSet } from "../../mesh/pod-set.ts";
import type { Probe } from "./probe.ts";
import type { ProbeRun } from "./run-probe.ts";

/** A call of a probe by its name, and how it ended. */
export interface Ended {
  readonly way: string;
  readonly outcome: Outcome;
}

/** What the tests of access look at: the state of the cluster, and the pods whose access they prove. */
export interface Scene {
  readonly state: ClusterState;
  readonly target: AccessTarget;
}

/** Ports of the calls that go to a port of the target by its key. */
function portsOf(calls: readonly Ended[], { pods }: AccessTarget): number[] {
  return calls.flatMap(({ way }) => pods.ports[way]?.port ?? []);
}

function podsIn({ state, target }: Scene): KubernetesObject[] {
  return state.pods.filter((pod) => isInSet(pod, target.pods));
}

/** What both layers decide about a probe's connection to a port of a pod. */
function verdictOn(port: number, client: Probe, to: KubernetesObject, { state }: Scene, labels: StringMap = {}): Verdict {
  const { namespace, serviceAccount, meshed, forged } = client;
  const from: Attempt["from"] = {
    namespace,
    labels: meshed || forged === true ? { [meshedLabel]: "linkerd", ...labels } : labels,
    identity: meshed ? { namespace, name: serviceAccount } : null,
  };
  return evaluate({ from, to, port }, state.policies, state.linkerdRelease);
}

/** All causes why a client that should be refused got through: what each layer leaves open, with the objects that were read. */
export function explainAccess(through: readonly Ended[], probe: Probe, scene: Scene): string[] {
  const { meshed } = probe;
  const [server] = podsIn(scene);
  if (server === undefined) return [`${scene.target.podTitle} has no pods`];
  if (through.length === 0) return [`a proxy or ${scene.target.title} answers in error instead of being kept from answering`];
  const verdicts = portsOf(through, scene.target).map((port) => ({ port, ...verdictOn(port, probe, server, scene) }));
  const admitting = [...new Set(verdicts.flatMap(({ network }) => network.admitting))];
  const inNetwork = verdicts.some(({ network }) => network.selecting.length === 0)
    ? [`no NetworkPolicy selects ${server.metadata.name}: is ${scene.target.policyComponent} ready? meshops status`]
    : meshed || admitting.length === 0
      ? []
      : [`NetworkPolicy ${admitting.join(", ")} admits pods without a proxy`];
  const found = [...inNetwork, ...meshHoles(verdicts, scene.target)];
  if (found.length > 0) return found;
  return [
    meshed
      ? `Server and AuthorizationPolicy forbid it: does the proxy of ${scene.target.podTitle} have them? kubectl logs of container linkerd-proxy`
      : "the NetworkPolicies forbid it and nothing enforces them: does the cluster have a network policy engine (azure.cluster.networkPolicy)?",
  ];
}

/** What the mesh leaves open, port by port: two ports may be open for different reasons. */
function meshHoles(verdicts: readonly (Verdict & { readonly port: number })[], { podTitle }: AccessTarget): string[] {
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
      : [`no Server guards port ${unguarded.join(" and ")} of ${podTitle}, so every meshed pod may use it`]),
    ...weak,
  ];
}

/** All causes why a listed client was refused, port by port. */
export function explainDenial(bad: readonly Ended[], probe: Probe, scene: Scene): string[] {
  const { target } = scene;
  const [server] = podsIn(scene);
  const identity = `${probe.serviceAccount}.${probe.namespace}`;
  const causes = portsOf(bad, target).map((port): string => {
    const authorizations = server === undefined ? [] : verdictOn(port, probe, server, scene).mesh.authorizations;
    const accounts = [...new Set(authorizations.flatMap((each) => each.accounts))];
    if (accounts.length === 0) return `a Server closes port ${port} of ${target.podTitle}, and no AuthorizationPolicy opens it`;
    return `the AuthorizationPolicy of port ${port} lists ${accounts.join(", ")}, not ${identity}: is it in ${target.fields.clients}, and ${target.policyComponent} up to date?`;
  });
  return causes.length === 0 ? ["refused by a Server of another port"] : causes;
}

/** All causes why a meshed client does not get through: the network, a pod without a proxy, or proxies that do not trust each other. */
export function explainSilence({ probe, pod }: ProbeRun, scene: Scene): string[] {
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
          `no NetworkPolicy admits meshed pods of ${probe.namespace} to port ${blocked.join(", ")} of ${target.podTitle}, which proxies connect to`,
        ]),
    ...(bare.length === 0
      ? []
      : [`${bare.join(", ")} ${bare.length === 1 ? "has" : "have"} no proxy, so nothing answers there on port 4143`]),
    ...(distrust ? [`the probe's proxy and ${target.podTitle}'s trust different anchors (see M2): kubectl rollout restart`] : []),
  ];
  return causes.length === 0 ? ["the proxies get no answer, though policies admit them: see M1 to M5"] : causes;
}

/** Whether two proxies trust a common anchor; true if one of them does not list its anchors. */
function shareAnchor(one: KubernetesObject, other: KubernetesObject): boolean {
  const [own, others] = [one, other].map((pod) => certificatesIn(anchorsOf(pod) ?? null).map(fingerprint));
  if (own === undefined || others === undefined || own.length === 0 || others.length === 0) return true;
  return own.some((anchor) => others.includes(anchor));
}
