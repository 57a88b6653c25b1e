import { type Finding, failed, passed, undecided } from "../../components/finding.ts";
import { outcomeOf, tellCall } from "../../components/outcome.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { type Ended, explainAccess, explainDenial, explainSilence, type Scene } from "./explain.ts";
import type { ProbeRun } from "./run-probe.ts";

/** T0: without policies, every pod reaches the target. */
export function judgeBaseline(run: ProbeRun, { target }: Scene): Finding {
  return judge(
    run,
    (outcomes) => outcomes.every(({ outcome }) => outcome === "answered"),
    "HTTP and gRPC answer",
    () => `${target.title} does not answer even without a policy: meshops status shows whether it is ready`,
  );
}

/** T1: with it, a pod without a proxy in another namespace does not. */
export function judgeUnmeshed(run: ProbeRun, scene: Scene): Finding {
  return judge(run, allRefused, "refused on both ports", (through) => explainAccess(through, run.probe, scene));
}

/** T2a: a client on the list does. */
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

/** T2b: a meshed pod with another identity reaches the target's proxy, which refuses it. */
export function judgeStranger(run: ProbeRun, scene: Scene): Finding {
  const bare = bareProbe(run);
  if (bare !== null) return bare;
  const unseen = unseenCalls(run);
  if (unseen !== null) return unseen;
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.some(({ outcome }) => outcome === "answered"))
    return failed(
      "let in",
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

/** T2c: the label of meshed pods alone does not let a pod in. */
export function judgeForged(run: ProbeRun, scene: Scene): Finding {
  return judge(run, allRefused, "refused on both ports, and at the proxy's own", (through) =>
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

/** A probe that did not make all its calls decides nothing: a missing call is not a refusal. */
function unseenCalls(run: ProbeRun): Finding | null {
  if (run.trouble !== null) return undecided("the probe did not run", run.trouble, run.notes);
  const { outcomes, evidence } = outcomesOf(run);
  if (outcomes.length === run.probe.calls.filter(({ kind }) => kind !== "spread").length) return null;
  return undecided("the probe ended early", "its log lacks calls: kubectl logs tells more, with --keep-probes", evidence);
}

/** A probe that should be meshed and runs without a proxy proves nothing. */
function bareProbe({ probe, pod, trouble }: ProbeRun): Finding | null {
  if (trouble !== null || pod === null || proxyOf(pod) !== undefined) return null;
  const cause = `pod ${probe.name} got no proxy: the injector did not answer, or its caBundle is stale (see M4), and its failure is ignored`;
  return failed("the probe runs unmeshed", cause);
}
