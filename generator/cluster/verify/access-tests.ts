import type { Check, ProbeCheck } from "../../components/check.ts";
import { type CheckResult, skipped, undecided } from "../../components/check-result.ts";
import { UserError } from "../../system/errors.ts";
import { allowedResult, baselineResult, forgedResult, unlistedResult, unmeshedResult } from "./access.ts";
import { withoutPolicy } from "./baseline.ts";
import type { Scene } from "./explain.ts";
import type { Probe } from "./probe.ts";
import { listedClient, listedProbe, refusedProbes, unmeshedProbe } from "./probes.ts";
import { allFinished, type Run } from "./run.ts";
import type { ProbeRun } from "./run-probe.ts";
import { openTap, tapResult } from "./tap.ts";

/**
 * Runs the test T0. Then runs the tests T1 to T3 and the components' checks that need a probe, all in parallel. No
 * other test runs during T0, because T0 can remove the policies until T0 ends.
 */
export async function accessTests(run: Run, scene: Scene, checks: readonly Check[]): Promise<void> {
  await baselineTest(run, scene);
  run.options.onStep("starting the probes");
  const wanted = checks.filter((check): check is ProbeCheck => "calls" in check && run.wants(check.id));
  await allFinished([unmeshedTest(run, scene), listedTests(run, scene, wanted), refusedTests(run, scene)]);
}

async function baselineTest(run: Run, scene: Scene): Promise<void> {
  if (!run.wants("T0")) return;
  const since = Date.now();
  const { state, target } = scene;
  const hasPolicy = state.policies.some(({ kind }) => kind === "NetworkPolicy");
  const trouble = run.resources.trouble;
  if (trouble !== null) run.report("T0", since, undecided("meshops could not create the namespace for the probe", trouble));
  else if (!run.options.baseline && (hasPolicy || target.pods.access.mode !== "off"))
    run.report(
      "T0",
      since,
      skipped("T0 tests access without policies, but policies exist; to remove the policies during T0, add --baseline"),
    );
  else run.report("T0", since, await baseline(run, scene, hasPolicy));
}

async function baseline({ id, cluster, options, policies, probe }: Run, scene: Scene, hasPolicy: boolean): Promise<CheckResult> {
  const test = async (): Promise<CheckResult> =>
    baselineResult(await probe(unmeshedProbe(scene.target, "verify-baseline", id)), scene);
  if (!hasPolicy || policies === null) return test();
  options.onStep(
    `removing the policies: until meshops restores them, all pods in the cluster can connect to ${scene.target.title}`,
  );
  try {
    const finding = await withoutPolicy(cluster, policies, test);
    options.onStep("the policies have been restored");
    return finding;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undecided("the policies could not be removed, or could not be restored", error.message);
  }
}

function noPolicy({ target }: Scene): CheckResult | null {
  return target.pods.access.mode === "off"
    ? skipped(`the environment has no policies for ${target.title}, because ${target.fields.policy} disables them`)
    : null;
}

function noClient({ target }: Scene): CheckResult {
  return skipped(
    `the test needs a client that is allowed to use both the HTTP port and the gRPC port, but ${target.fields.clients} contains no such client`,
  );
}

/**
 * Runs a probe. If an object that the probe needs could not be created, `trouble` contains the error. In this case,
 * does not run the probe, and returns a result with this error, so that the other tests continue.
 */
function probeUnless(trouble: string | null, { probe }: Run, each: Probe): Promise<ProbeRun> {
  return trouble === null ? probe(each) : Promise.resolve({ probe: each, pod: null, results: new Map(), trouble, notes: [] });
}

async function unmeshedTest(run: Run, scene: Scene): Promise<void> {
  if (!run.wants("T1")) return;
  const since = Date.now();
  const ended = noPolicy(scene);
  if (ended !== null) return run.report("T1", since, ended);
  const probe = unmeshedProbe(scene.target, "verify-unmeshed", run.id);
  run.report("T1", since, unmeshedResult(await probeUnless(run.resources.trouble, run, probe), scene));
}

/** Runs the tests that use a probe with the identity of a listed client: T2a, T3 and the components' checks. */
async function listedTests(run: Run, scene: Scene, checks: readonly ProbeCheck[]): Promise<void> {
  const ids = ["T2a", "T3", ...checks.map(({ id }) => id)].filter((id) => run.wants(id));
  if (ids.length === 0) return;
  const since = Date.now();
  const client = listedClient(scene.target);
  if (client === null) {
    for (const id of ids) run.report(id, since, noClient(scene));
    return;
  }
  const { state, settings } = run;
  const tap = run.wants("T3") && scene.target.pods.access.viz ? openTap(run.cluster, scene.target) : null;
  try {
    const calls = checks.flatMap((check) => check.calls(state, settings));
    const probed = await run.probe(listedProbe(client, scene.target, calls));
    // These tests share one probe. The report adds the duration of the probe only to T2a, so that the sum of all
    // durations contains the duration of the probe once.
    run.report("T2a", since, allowedResult(probed, scene));
    const probeEnded = Date.now();
    run.report("T3", probeEnded, tap === null ? skipped("Linkerd viz is not enabled") : await tapResult(tap, probed, scene));
    for (const check of checks) run.report(check.id, Date.now(), check.evaluate(state, settings, probed));
  } finally {
    void tap?.close();
  }
}

/** Runs T2b and T2c. Each of these tests passes if the policies refuse the probe of the test. */
async function refusedTests(run: Run, scene: Scene): Promise<void> {
  const ids = ["T2b", "T2c"].filter((id) => run.wants(id));
  if (ids.length === 0) return;
  const since = Date.now();
  const client = listedClient(scene.target);
  const ended = noPolicy(scene) ?? (client === null ? noClient(scene) : null);
  if (ended !== null || client === null) {
    for (const id of ids) run.report(id, since, ended ?? noClient(scene));
    return;
  }
  const trouble = await run.resources.unlistedAccountIn(client.namespace);
  const { unlisted, forged } = refusedProbes(client, scene.target, run.state, run.id);
  const test = async (id: string, probe: Probe, resultOf: typeof unlistedResult): Promise<void> => {
    if (run.wants(id)) run.report(id, since, resultOf(await probeUnless(trouble, run, probe), scene));
  };
  await allFinished([test("T2b", unlisted, unlistedResult), test("T2c", forged, forgedResult)]);
}
