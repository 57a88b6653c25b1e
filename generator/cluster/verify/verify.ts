import { randomBytes } from "node:crypto";
import { kustomizationName } from "../../bundle/emit/placement.ts";
import type { Check } from "../../components/check.ts";
import { type CheckResult, skipped } from "../../components/check-result.ts";
import type { Model } from "../../components/model.ts";
import type { Cluster } from "../connection.ts";
import { accessTests } from "./access-tests.ts";
import { resumeLeftOver } from "./baseline.ts";
import { linkerdChecks } from "./linkerd-cli.ts";
import { readClusterState } from "./read-cluster-state.ts";
import type { TestResult } from "./result.ts";
import { allFinished, type Run, type VerifyOptions } from "./run.ts";
import { runProbe } from "./run-probe.ts";
import { TestResources } from "./test-resources.ts";
import { checksOf, noImage, targetOf, testsOf } from "./tests.ts";
import { testedSets } from "./workload-probes.ts";
import { workloadTests } from "./workload-tests.ts";

/**
 * Runs the selected tests against a cluster. At the end, deletes the objects that the tests created, even after an
 * error, unless `options.keep` is set.
 *
 * @throws UserError if the cluster does not respond. If a test cannot run for another reason, this function does not
 * throw, and the test gets the status `undecided`.
 */
export async function verify(cluster: Cluster, model: Model, options: VerifyOptions): Promise<TestResult[]> {
  const id = randomBytes(3).toString("hex");
  const { image, seconds, signal } = options;
  const resources = new TestResources(cluster, id);
  const target = targetOf(model);
  const tests = testsOf(model);
  const results = new Map<string, TestResult>();
  const report = (test: string, since: number, finding: CheckResult): void => {
    const info = tests.find((each) => each.id === test);
    if (info === undefined || !options.only.has(test)) return;
    const { title, expected } = info;
    const result: TestResult = { id: test, title, expected, ...finding, durationMs: Date.now() - since };
    results.set(test, result);
    options.onResult(result);
  };
  try {
    const { placement } = options;
    const policies =
      target === null ? null : { name: kustomizationName(placement, target.policyComponent), namespace: placement.namespace };
    if (policies !== null && (await resumeLeftOver(cluster, policies)))
      options.onStep("resumed the Kustomization that applies the policies; an earlier run of meshops verify had suspended it");
    const run: Run = {
      ...{ id, cluster, model, options, resources, report, policies },
      settings: { now: new Date(), token: options.write ? id : null },
      state: await readClusterState(cluster, model),
      wants: (...ids) => ids.some((each) => options.only.has(each)),
      probe: (probe, own = image ?? undefined) => {
        if (own === undefined) throw new Error(`the probe ${probe.name} has no image`);
        resources.pod(probe.name, probe.namespace);
        return runProbe(cluster, probe, { image: own, run: id, seconds, signal });
      },
    };
    const checks = checksOf(model);
    stateTests(run, checks);
    if (image === null)
      for (const each of tests.filter(({ needsProbe }) => needsProbe))
        report(each.id, Date.now(), skipped(`${noImage.seen}: ${noImage.fix}`));
    const workloads = testedSets(model).some(({ title }) => run.wants(title));
    await resources.prepare(workloads || (image !== null && target !== null && run.wants("T0", "T1")));
    const access = target === null || image === null ? [] : [accessTests(run, { state: run.state, target }, checks)];
    const reach = workloads ? [workloadTests(run)] : [];
    await allFinished([linkerdTest(run), ...access, ...reach]);
  } finally {
    if (options.keep)
      options.onStep(
        `the test objects are kept in the cluster; to list the pods, run kubectl get pods --all-namespaces --selector meshops.dev/verify=${id}`,
      );
    else for (const left of await resources.clear()) options.onStep(`could not delete ${left}`);
  }
  return tests.flatMap((test) => results.get(test.id) ?? []);
}

/** Runs the tests that use no probes. */
function stateTests({ state, settings, report, wants }: Run, checks: readonly Check[]): void {
  for (const check of checks)
    if (!("calls" in check) && wants(check.id)) report(check.id, Date.now(), check.evaluate(state, settings));
}

async function linkerdTest({ cluster, options, report, wants }: Run): Promise<void> {
  if (!wants("M8")) return;
  const since = Date.now();
  report("M8", since, await linkerdChecks(cluster.context, options.signal));
}
