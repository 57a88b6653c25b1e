import { randomBytes } from "node:crypto";
import type { Model } from "../../components/model.ts";
import { UserError } from "../../system/errors.ts";
import type { Cluster } from "../connection.ts";
import { judgeAllowed, judgeBaseline, judgeForged, judgeStranger, judgeUnmeshed } from "./access.ts";
import { resumeLeftOver, withoutPolicy } from "./baseline.ts";
import { type ClusterState, readClusterState } from "./cluster-state.ts";
import { callsSpread, membersHealthy, readWorks, writeWorks } from "./dgraph-tests.ts";
import { linkerdChecks } from "./linkerd-cli.ts";
import * as mesh from "./mesh-tests.ts";
import type { Probe } from "./probe.ts";
import { clientProbes, unmeshedProbe } from "./probes.ts";
import { type Finding, skipped, type TestResult, undecided } from "./result.ts";
import { type ProbeRun, runProbe } from "./run-probe.ts";
import { judgeTap, openTap, type Tap } from "./tap.ts";
import { TestResources } from "./test-resources.ts";
import { type TestId, tests } from "./tests.ts";

export interface VerifyOptions {
  /** Image of the probes: curl, grpcurl and api.proto. */
  readonly image: string;
  readonly only: ReadonlySet<TestId>;
  /** Take the policy away for T0, and bring it back. */
  readonly baseline: boolean;
  readonly write: boolean;
  /** Leave the probes in the cluster. */
  readonly keep: boolean;
  /** Seconds that a probe may take. */
  readonly seconds: number;
  readonly fluxNamespace: string;
  readonly signal: AbortSignal;
  /** Told of each result as it comes, and of what is done meanwhile. */
  readonly onResult: (result: TestResult) => void;
  readonly onStep: (step: string) => void;
}

/**
 * Runs the tests that were chosen against a cluster. What is made there is taken away again, whatever happens.
 *
 * @throws UserError where the cluster does not answer; what a single test lacks makes that test `undecided`
 */
export async function verify(cluster: Cluster, model: Model, options: VerifyOptions): Promise<TestResult[]> {
  const run = randomBytes(3).toString("hex");
  const resources = new TestResources(cluster, run);
  const results = new Map<TestId, TestResult>();
  let began = Date.now();
  const tell = (id: TestId, finding: Finding): void => {
    const test = tests.find((each) => each.id === id);
    if (test === undefined || !options.only.has(id)) return;
    const result = { ...test, ...finding, durationMs: Date.now() - began };
    results.set(id, result);
    options.onResult(result);
  };
  const wants = (...ids: TestId[]): boolean => ids.some((id) => options.only.has(id));
  const probe = async (each: Probe): Promise<ProbeRun> => {
    resources.pod(each.name, each.namespace);
    const { image, seconds, signal } = options;
    return runProbe(cluster, each, { image, run, seconds, signal });
  };
  /** What must be there before probes; a right that is missing is told by the test, not by an end of all. */
  const prepared = async (make: () => Promise<void>): Promise<string | null> =>
    make().then(
      () => null,
      (error: unknown) => (error instanceof UserError ? error.message : Promise.reject(error)),
    );

  try {
    if (await resumeLeftOver(cluster, options.fluxNamespace))
      options.onStep("resumed the policy that an earlier run had suspended");
    const clusterState = await readClusterState(cluster, model);
    tellMesh(clusterState, tell, new Date());
    const checks = wants("M8") ? linkerdChecks(cluster.context, options.signal) : null;
    const hasPolicy = clusterState.policies.some(({ kind }) => kind === "NetworkPolicy");
    const own = wants("T0", "T1") ? await prepared(() => resources.namespace()) : null;
    if (wants("T0")) {
      began = Date.now();
      if (own !== null) tell("T0", undecided("no namespace for the probe", own));
      else if (!options.baseline && (hasPolicy || model.environment.spec.dgraph.networkPolicy))
        tell("T0", skipped("a policy stands; --baseline takes it away for the test"));
      else tell("T0", await baseline(options, cluster, hasPolicy, () => probe(unmeshedProbe(model, "verify-baseline", run))));
    }
    began = Date.now();
    options.onStep("probes are starting");
    const token = options.write ? run : null;
    const clients = clientProbes(clusterState, run, token);
    const stranger =
      clients !== null && wants("T2b", "T2c") ? await prepared(() => resources.strangerIn(clients.stranger.namespace)) : null;
    const tap = wants("T3") && model.environment.spec.linkerd.viz.enabled ? openTap(cluster, clusterState) : null;
    const refusals = model.environment.spec.dgraph.networkPolicy;
    const denied = (each: Probe, trouble: string | null): Promise<ProbeRun> =>
      trouble === null ? probe(each) : Promise.resolve({ probe: each, pod: null, results: new Map(), trouble, notes: [] });
    const needsAllowed = wants("T2a", "T3", "D1", "D2", "D3", "D4", "D5");
    await together([
      async () => {
        if (!wants("T1")) return;
        if (!refusals) return tell("T1", skipped("the environment has no policy: dgraph.networkPolicy"));
        tell("T1", judgeUnmeshed(await denied(unmeshedProbe(model, "verify-unmeshed", run), own), clusterState));
      },
      async () => {
        if (!needsAllowed) return;
        if (clients === null) return tellNoClient(tell, ["T2a", "T3", "D1", "D2", "D3", "D4", "D5"]);
        await tellAllowed(await probe(clients.allowed), clusterState, tap, token, tell);
      },
      ...(["stranger", "forged"] as const).map((name) => async () => {
        const [id, judge] = name === "stranger" ? (["T2b", judgeStranger] as const) : (["T2c", judgeForged] as const);
        if (!wants(id)) return;
        if (!refusals) return tell(id, skipped("the environment has no policy: dgraph.networkPolicy"));
        if (clients === null) return tellNoClient(tell, [id]);
        tell(id, judge(await denied(clients[name], stranger), clusterState));
      }),
      async () => {
        if (checks !== null) tell("M8", await checks);
      },
    ]).finally(() => void tap?.close());
  } finally {
    if (options.keep)
      options.onStep(`left in the cluster: kubectl get pods --all-namespaces --selector meshops.dev/verify=${run}`);
    else for (const left of await resources.clear()) options.onStep(`could not be removed: ${left}`);
  }
  return tests.flatMap(({ id }) => results.get(id) ?? []);
}

type Tell = (id: TestId, finding: Finding) => void;

/** All to their end, even when one fails: what they made must be known before it is taken away. */
async function together(actions: readonly (() => Promise<void>)[]): Promise<void> {
  const ended = await Promise.allSettled(actions.map((action) => action()));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}

async function baseline(
  options: VerifyOptions,
  cluster: Cluster,
  hasPolicy: boolean,
  probe: () => Promise<ProbeRun>,
): Promise<Finding> {
  if (!hasPolicy) return judgeBaseline(await probe());
  options.onStep("the policy is taken away: Dgraph is open to the cluster until it is back");
  try {
    const finding = await withoutPolicy(cluster, options.fluxNamespace, async () => judgeBaseline(await probe()));
    options.onStep("the policy is back");
    return finding;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undecided("the policy was not taken away, or not brought back", error.message);
  }
}

function tellMesh(clusterState: ClusterState, tell: Tell, now: Date): void {
  tell("M1", mesh.controlPlaneReady(clusterState));
  tell("M2", mesh.anchorsAgree(clusterState));
  tell("M3", mesh.issuerValid(clusterState, now));
  tell("M4", mesh.webhooksTrusted(clusterState, now));
  tell("M5", mesh.podsMeshed(clusterState));
  tell("M6", mesh.vizReachable(clusterState));
  tell("M7", mesh.tracingReachable(clusterState));
}

async function tellAllowed(
  run: ProbeRun,
  clusterState: ClusterState,
  tap: Tap | null,
  token: string | null,
  tell: Tell,
): Promise<void> {
  tell("T2a", judgeAllowed(run, clusterState));
  tell("T3", tap === null ? skipped("viz is not enabled") : await judgeTap(tap, run, clusterState));
  tell("D1", membersHealthy(run, "zero", clusterState));
  tell("D2", membersHealthy(run, "alpha", clusterState));
  tell("D3", readWorks(run));
  tell("D4", writeWorks(run, token));
  tell("D5", callsSpread(run, clusterState));
}

function tellNoClient(tell: Tell, ids: readonly TestId[]): void {
  for (const id of ids) tell(id, skipped("no client may use both ports: dgraph.clients"));
}
