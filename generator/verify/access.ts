import { dgraphPorts } from "../catalog/dgraph.ts";
import { proxyPorts } from "../catalog/linkerd.ts";
import type { ClusterObject } from "../cluster/objects.ts";
import { anchorsOf, proxyOf } from "../cluster/workload.ts";
import { type Outcome, outcomeOf, tellCall } from "./outcome.ts";
import { admitting, allowedAt, type Policies, selecting, serverOf } from "./policy.ts";
import type { Call, Probe } from "./probe.ts";
import { type Finding, failed, passed, undecided } from "./result.ts";
import type { ProbeRun } from "./run-probe.ts";
import { alphaAddresses, alphasIn, type World } from "./world.ts";

/** A way to Dgraph, and how it should end. */
const ports = { http: dgraphPorts.alpha.http, grpc: dgraphPorts.alpha.grpc } as const;
type Way = keyof typeof ports;

/** The calls of the article: `/health` over HTTP, CheckVersion over gRPC. */
export function articleCalls(world: Pick<World, "model">): Call[] {
  const { http, grpc } = alphaAddresses(world.model);
  return [{ kind: "http", name: "http", address: http, path: "/health" }, versionCall(grpc)];
}

/**
 * The same, but for a path that is no probe's: Linkerd lets everybody ask those (policy-controller, default probe routes), so `/health`
 * says nothing about an AuthorizationPolicy.
 */
export function guardedCalls(world: Pick<World, "model">): Call[] {
  const { http, grpc } = alphaAddresses(world.model);
  return [{ kind: "http", name: "http", address: http, path: "/state" }, versionCall(grpc)];
}

function versionCall(address: string): Call {
  return { kind: "grpc", name: "grpc", address, method: "api.Dgraph/CheckVersion", request: "{}" };
}

/** T0: without a policy, anybody reaches Dgraph. */
export function judgeBaseline(run: ProbeRun): Finding {
  return judge(
    run,
    (outcomes) => outcomes.every(({ outcome }) => outcome === "answered"),
    "HTTP and gRPC answer",
    () => "Dgraph does not answer even without a policy: meshops status says whether it is ready",
  );
}

/** T1: with it, a pod without a proxy in another namespace does not. */
export function judgeUnmeshed(run: ProbeRun, world: World): Finding {
  return judge(run, allRefused, "refused on both ports", (through) => whyThrough(through, run.probe, world));
}

/** T2a: a client on the list does. */
export function judgeAllowed(run: ProbeRun, world: World): Finding {
  const bare = bareProbe(run);
  if (bare !== null) return bare;
  return judge(
    run,
    (all) => all.every(({ outcome }) => outcome === "answered"),
    "HTTP and gRPC answer",
    (_, all) => {
      const bad = all.filter(({ outcome }) => outcome !== "answered");
      return bad.some(({ outcome }) => outcome === "denied") ? whyDenied(bad, run.probe, world) : whyUnreachable(run, world);
    },
  );
}

/** T2b: a meshed pod with another identity gets as far as Dgraph's proxy, which refuses it. */
export function judgeStranger(run: ProbeRun, world: World): Finding {
  const bare = bareProbe(run);
  if (bare !== null) return bare;
  const unseen = unseenCalls(run);
  if (unseen !== null) return unseen;
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.some(({ outcome }) => outcome === "answered"))
    return failed(
      "let in",
      whyThrough(
        outcomes.filter(({ outcome }) => outcome === "answered"),
        run.probe,
        world,
      ),
      evidence,
    );
  if (outcomes.every(({ outcome }) => outcome === "denied")) return passed("refused by the AuthorizationPolicy", evidence);
  return undecided("refused, but not by the AuthorizationPolicy", whyUnreachable(run, world), evidence);
}

/** T2c: the label of meshed pods is no way in. */
export function judgeForged(run: ProbeRun, world: World): Finding {
  return judge(run, allRefused, "refused on both ports, and at the proxy's own", (through) =>
    whyThrough(through, run.probe, world),
  );
}

interface Ended {
  readonly way: string;
  readonly outcome: Outcome;
}

function outcomesOf(run: ProbeRun): { outcomes: Ended[]; evidence: string[] } {
  const calls = run.probe.calls.flatMap((call) => {
    const result = run.results.get(call.name);
    return call.kind === "spread" || result === undefined ? [] : [{ call, result, kind: call.kind }];
  });
  return {
    outcomes: calls.map(({ call, result, kind }) => ({ way: call.name, outcome: outcomeOf(kind, result) })),
    evidence: calls.map(({ result }) => tellCall(result)),
  };
}

const allRefused = (all: readonly Ended[]): boolean => all.every(({ outcome }) => outcome === "silent" || outcome === "denied");

function judge(
  run: ProbeRun,
  good: (all: readonly Ended[]) => boolean,
  expected: string,
  why: (through: readonly Ended[], all: readonly Ended[]) => string,
): Finding {
  const unseen = unseenCalls(run);
  if (unseen !== null) return unseen;
  const { outcomes, evidence } = outcomesOf(run);
  if (good(outcomes)) return passed(expected, evidence);
  const seen = outcomes.map(({ way, outcome }) => `${way} ${outcome}`).join(", ");
  return failed(
    seen,
    why(
      outcomes.filter(({ outcome }) => outcome === "answered"),
      outcomes,
    ),
    evidence,
  );
}

/** A probe that did not make all its calls decides nothing: no call is no refusal. */
function unseenCalls(run: ProbeRun): Finding | null {
  if (run.trouble !== null) return undecided("the probe did not run", run.trouble, run.notes);
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.length === run.probe.calls.filter(({ kind }) => kind !== "spread").length) return null;
  return undecided("the probe ended early", "its log lacks calls: kubectl logs tells more, with --keep", evidence);
}

/** A probe that should be meshed and runs without a proxy proves nothing. */
function bareProbe({ probe, pod, trouble }: ProbeRun): Finding | null {
  if (trouble !== null || pod === null || proxyOf(pod) !== undefined) return null;
  const cause = `pod ${probe.name} got no proxy: the injector did not answer, or its caBundle is stale (see M4), and its failure is ignored`;
  return failed("the probe runs unmeshed", cause);
}

function whyThrough(through: readonly Ended[], { namespace, meshed, forged }: Probe, { policies, ...world }: World): string {
  const [alpha] = alphasIn({ ...world, policies });
  if (alpha === undefined) return "there are no pods of Alpha";
  if (through.length === 0) return "a proxy or Dgraph answers in error instead of being kept from answering";
  const open = through.flatMap(({ way }) => (way in ports ? [ports[way as Way]] : []));
  const labels = meshed || forged === true ? { "linkerd.io/control-plane-ns": "linkerd" } : {};
  if (selecting(policies, alpha).length === 0)
    return `no NetworkPolicy selects ${alpha.metadata.name}: is dgraph-policy ready? meshops status`;
  const unguarded = open.filter((port) => serverOf(policies, alpha, port) === null);
  if (meshed && unguarded.length > 0)
    return `no Server guards port ${unguarded.join(" and ")} of Alpha, so every meshed pod may use it`;
  if (meshed) return `the AuthorizationPolicy lets everybody in: ${accountsAt(policies, alpha, open).join(", ")}`;
  const admitted = open.flatMap((port) => admitting(policies, alpha, { namespace, labels }, port));
  if (admitted.length > 0) return `NetworkPolicy ${[...new Set(admitted)].join(", ")} lets pods without a proxy in`;
  return "the NetworkPolicies forbid it, and nobody enforces them: does the cluster have a network policy engine (azure.cluster.networkPolicy)?";
}

function whyDenied(bad: readonly Ended[], { namespace, serviceAccount }: Probe, { policies, ...world }: World): string {
  const [alpha] = alphasIn({ ...world, policies });
  const identity = `${serviceAccount}.${namespace}`;
  const closed = bad.flatMap(({ way }) => (way in ports ? [ports[way as Way]] : []));
  const allowed = alpha === undefined ? [] : accountsAt(policies, alpha, closed);
  return allowed.length === 0
    ? `a Server closes port ${closed.join(" and ")} of Alpha, and no AuthorizationPolicy opens it`
    : `the AuthorizationPolicy lets in ${allowed.join(", ")}, not ${identity}: is it on dgraph.clients, and dgraph-policy up to date?`;
}

function accountsAt(policies: Policies, alpha: ClusterObject, open: readonly number[]): string[] {
  const servers = open.map((port) => serverOf(policies, alpha, port)).filter((each) => each !== null);
  return [...new Set(servers.flatMap((server) => allowedAt(policies, server)))];
}

/** Why a meshed client finds no way through: by the network, or because the two proxies do not believe each other. */
function whyUnreachable({ probe: { namespace }, pod }: ProbeRun, { policies, track, trustRoots, ...world }: World): string {
  const alphas = alphasIn({ ...world, policies, track, trustRoots });
  const [alpha] = alphas;
  if (alpha === undefined) return "there are no pods of Alpha";
  const source = { namespace, labels: { "linkerd.io/control-plane-ns": "linkerd", ...pod?.metadata.labels } };
  const needed = track.traits.transportHeader ? [proxyPorts.inbound] : [proxyPorts.inbound, ports.http, ports.grpc];
  const blocked = needed.filter(
    (port) => selecting(policies, alpha).length > 0 && admitting(policies, alpha, source, port).length === 0,
  );
  if (blocked.length > 0)
    return `no NetworkPolicy lets meshed pods of ${namespace} reach port ${blocked.join(", ")} of Alpha, by which proxies speak to each other`;
  const bare = alphas.filter((each) => proxyOf(each) === undefined).map(({ metadata }) => metadata.name);
  if (bare.length > 0)
    return `${bare.join(", ")} ${bare.length === 1 ? "has" : "have"} no proxy, so nothing answers there on port 4143`;
  if (pod !== null && anchorsOf(pod) !== anchorsOf(alpha))
    return "the probe's proxy and Alpha's believe different trust anchors (see M2): kubectl rollout restart";
  return "the proxies reach no one, though policies let them: see M1 to M5";
}
