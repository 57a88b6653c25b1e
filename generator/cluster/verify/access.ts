import { type CheckResult, failed, type Problems, passed, undecided } from "../../components/check-result.ts";
import { describeCall, outcomeOf } from "../../components/outcome.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { type Ended, explainAccess, explainDenial, explainSilence, type Scene } from "./explain.ts";
import type { ProbeRun } from "./run-probe.ts";

/** Evaluates T0: without policies, every pod can connect to the target. */
export function baselineResult(run: ProbeRun, { target }: Scene): CheckResult {
  return probeResult(
    run,
    (outcomes) => outcomes.every(({ outcome }) => outcome === "answered"),
    "HTTP and gRPC calls are answered",
    () => ({
      reason: `${target.title} does not answer, although no policy exists`,
      fix: `run meshops status to check that ${target.title} is ready`,
    }),
  );
}

/** Evaluates T1: with policies, a pod without a proxy in another namespace cannot connect to the target. */
export function unmeshedResult(run: ProbeRun, scene: Scene): CheckResult {
  return probeResult(run, allRefused, "connections to the HTTP port and the gRPC port are refused", (through) =>
    explainAccess(through, run.probe, scene),
  );
}

/** Evaluates T2a: a listed client can connect to the target. */
export function allowedResult(run: ProbeRun, scene: Scene): CheckResult {
  const bare = unmeshedProbe(run);
  if (bare !== null) return bare;
  return probeResult(
    run,
    (all) => all.every(({ outcome }) => outcome === "answered"),
    "HTTP and gRPC calls are answered",
    (_, all) => {
      const bad = all.filter(({ outcome }) => outcome !== "answered");
      return bad.some(({ outcome }) => outcome === "denied") ? explainDenial(bad, run.probe, scene) : explainSilence(run, scene);
    },
  );
}

/** Evaluates T2b: the target's proxy refuses a meshed pod if no policy lists the identity of this pod. */
export function unlistedResult(run: ProbeRun, scene: Scene): CheckResult {
  const bare = unmeshedProbe(run);
  if (bare !== null) return bare;
  const unseen = unseenCalls(run);
  if (unseen !== null) return unseen;
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.some(({ outcome }) => outcome === "answered"))
    return failed(
      "the policies did not refuse all calls",
      explainAccess(
        outcomes.filter(({ outcome }) => outcome === "answered"),
        run.probe,
        scene,
      ),
      evidence,
    );
  if (outcomes.every(({ outcome }) => outcome === "denied"))
    return passed("the AuthorizationPolicy refuses the HTTP and gRPC calls", evidence);
  return undecided("the calls were refused, but not by the AuthorizationPolicy", explainSilence(run, scene), evidence);
}

/** Evaluates T2c: a pod that has the label of meshed pods but no proxy is refused. */
export function forgedResult(run: ProbeRun, scene: Scene): CheckResult {
  return probeResult(
    run,
    allRefused,
    "connections to the HTTP port, the gRPC port and the proxy's inbound port are refused",
    (through) => explainAccess(through, run.probe, scene),
  );
}

function outcomesOf(run: ProbeRun): { outcomes: Ended[]; evidence: string[] } {
  const calls = run.probe.calls.flatMap((call) => {
    const result = run.results.get(call.name);
    return call.kind === "spread" || result === undefined ? [] : [{ call, result, kind: call.kind }];
  });
  return {
    outcomes: calls.map(({ call, result, kind }) => ({ way: call.name, outcome: outcomeOf(kind, result) })),
    evidence: calls.map(({ result }) => describeCall(result)),
  };
}

const allRefused = (all: readonly Ended[]): boolean => all.every(({ outcome }) => outcome === "silent" || outcome === "denied");

function probeResult(
  run: ProbeRun,
  good: (all: readonly Ended[]) => boolean,
  expected: string,
  why: (through: readonly Ended[], all: readonly Ended[]) => Problems,
): CheckResult {
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

/**
 * Returns an undecided finding if a probe did not run, or if the log of the probe does not contain the results of all
 * calls. Otherwise, returns null. A missing result does not prove that a call was refused.
 */
function unseenCalls(run: ProbeRun): CheckResult | null {
  if (run.trouble !== null) return undecided("the probe did not run", run.trouble, run.notes);
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.length === run.probe.calls.filter(({ kind }) => kind !== "spread").length) return null;
  return undecided(
    "the probe ended before all calls were complete",
    {
      reason: "the log of the probe does not contain the results of all calls",
      fix: "run meshops verify again with --keep-probes, then run kubectl logs for the pod of the probe",
    },
    evidence,
  );
}

/**
 * Returns a failed finding if a probe that should be meshed has no proxy; otherwise null. The calls of a pod without a
 * proxy do not show whether the test passes.
 */
function unmeshedProbe({ probe, pod, trouble }: ProbeRun): CheckResult | null {
  if (trouble !== null || pod === null || proxyOf(pod) !== undefined) return null;
  const cause = `pod ${probe.name} has no proxy. The proxy injector did not respond, or the caBundle of its webhook is stale (see test M4). In both cases, the API server creates pods without a proxy, because the failurePolicy of the webhook is Ignore`;
  return failed("the pod of the probe has no proxy", cause);
}
