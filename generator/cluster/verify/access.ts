import { type Finding, failed, passed, undecided } from "../../components/finding.ts";
import { outcomeOf, tellCall } from "../../components/outcome.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { type Ended, explainAccess, explainDenial, explainSilence, type Scene } from "./explain.ts";
import type { ProbeRun } from "./run-probe.ts";

/** Evaluates T0: without policies, every pod reaches the target. */
export function judgeBaseline(run: ProbeRun, { target }: Scene): Finding {
  return judge(
    run,
    (outcomes) => outcomes.every(({ outcome }) => outcome === "answered"),
    "HTTP and gRPC answer",
    () => `${target.title} does not answer even without a policy: run meshops status to see whether it is ready`,
  );
}

/** Evaluates T1: with policies, a pod without a proxy in another namespace does not reach the target. */
export function judgeUnmeshed(run: ProbeRun, scene: Scene): Finding {
  return judge(run, allRefused, "refused on both ports", (through) => explainAccess(through, run.probe, scene));
}

/** Evaluates T2a: a listed client reaches the target. */
export function judgeAllowed(run: ProbeRun, scene: Scene): Finding {
  const bare = bareProbe(run);
  if (bare !== null) return bare;
  return judge(
    run,
    (all) => all.every(({ outcome }) => outcome === "answered"),
    "HTTP and gRPC answer",
    (_, all) => {
      const bad = all.filter(({ outcome }) => outcome !== "answered");
      return bad.some(({ outcome }) => outcome === "denied") ? explainDenial(bad, run.probe, scene) : explainSilence(run, scene);
    },
  );
}

/** Evaluates T2b: the target's proxy refuses a meshed pod with another identity. */
export function judgeStranger(run: ProbeRun, scene: Scene): Finding {
  const bare = bareProbe(run);
  if (bare !== null) return bare;
  const unseen = unseenCalls(run);
  if (unseen !== null) return unseen;
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.some(({ outcome }) => outcome === "answered"))
    return failed(
      "not refused",
      explainAccess(
        outcomes.filter(({ outcome }) => outcome === "answered"),
        run.probe,
        scene,
      ),
      evidence,
    );
  if (outcomes.every(({ outcome }) => outcome === "denied")) return passed("refused by the AuthorizationPolicy", evidence);
  return undecided("refused, but not by the AuthorizationPolicy", explainSilence(run, scene), evidence);
}

/** Evaluates T2c: the label of meshed pods alone does not give a pod access. */
export function judgeForged(run: ProbeRun, scene: Scene): Finding {
  return judge(run, allRefused, "refused on both ports and on the proxy's inbound port", (through) =>
    explainAccess(through, run.probe, scene),
  );
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
  why: (through: readonly Ended[], all: readonly Ended[]) => string | readonly string[],
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

/** Returns an undecided finding if a probe did not make all its calls, because a missing call is not a refusal. */
function unseenCalls(run: ProbeRun): Finding | null {
  if (run.trouble !== null) return undecided("the probe did not run", run.trouble, run.notes);
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.length === run.probe.calls.filter(({ kind }) => kind !== "spread").length) return null;
  return undecided(
    "the probe ended early",
    "its log lacks calls: run verify again with --keep-probes and read its log with kubectl logs",
    evidence,
  );
}

/**
 * Returns a failed finding if a probe that should be meshed runs without a proxy, because its calls then prove nothing.
 */
function bareProbe({ probe, pod, trouble }: ProbeRun): Finding | null {
  if (trouble !== null || pod === null || proxyOf(pod) !== undefined) return null;
  const cause = `pod ${probe.name} has no proxy: the injector did not answer or its caBundle is stale (see M4), and its webhook ignores failures`;
  return failed("the probe runs unmeshed", cause);
}
