import type { CallResult } from "../../components/check.ts";
import { type CheckProblem, type CheckResult, failed, passed, undecided } from "../../components/check-result.ts";
import { describeCall, hasResponse, isFromProxy, outcomeOf } from "../../components/outcome.ts";
import { evaluate } from "../../mesh/evaluate.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { type Counted, countedClients, describeCounted, describeUnread, readProxyMetrics } from "../counted-clients.ts";
import { attemptClientOf } from "./explain.ts";
import type { Probe } from "./probe.ts";
import { isVerifyName } from "./probes.ts";
import type { Run } from "./run.ts";
import type { ProbeRun } from "./run-probe.ts";
import { callName, type Destination, destinations, isDeclared, testedSets, workloadProbes } from "./workload-probes.ts";

/**
 * Tests the access to the pods in `spec.workloads` with three kinds of probes: probes with the service account of a
 * listed client, probes with a service account that no policy lists, and probes without a proxy. As each of these
 * clients, probes call the ports of one ready pod in each set of pods. The test of a set of pods passes if only the
 * declared clients can connect to its ports. If the access mode of the set is `audit`, the result contains a note for
 * each client that the mode `enforce` would refuse.
 */
export async function workloadTests(run: Run): Promise<void> {
  const since = Date.now();
  const sets = testedSets(run.model).filter(({ title }) => run.wants(title));
  const found = sets.map((set) => ({ set, targets: destinations(set, run.state.pods) }));
  const all = found.flatMap(({ targets }) => targets);
  // Read the metrics before the probes run, because the metrics also count the calls of the probes. The calls of a
  // probe without a proxy cannot be distinguished from the calls of other clients without an identity.
  const counted = countedClients(sets, run.state.pods, await readProxyMetrics(run.cluster, sets, run.state.pods));
  const probed = all.length === 0 ? [] : await probeAll(workloadProbes(all, run.id), run);
  for (const { set, targets } of found)
    run.report(
      set.title,
      since,
      targets.length === 0
        ? undecided("none of the selected pods is ready", {
            fix: `run meshops status to check that the selector of ${set.title} is correct and that the selected pods are ready`,
          })
        : { ...setResult(targets, probed, run), notes: counted.filter(({ pods }) => pods === set.title).flatMap(auditNotes) },
    );
}

function auditNotes(counted: Counted): string[] {
  return [
    ...counted.clients.map((client) => `in the access mode enforce, this client would be refused: ${describeCounted(client)}`),
    ...(counted.unread > 0 ? [describeUnread(counted)] : []),
  ];
}

async function probeAll(probes: readonly Probe[], run: Run): Promise<ProbeRun[]> {
  const { resources } = run;
  const [unlisted] = probes.filter(({ meshed }) => meshed).slice(-1);
  const account = unlisted === undefined ? null : await resources.unlistedAccountIn(unlisted.namespace);
  const troubleOf = ({ meshed, serviceAccount }: Probe): string | null =>
    !meshed ? resources.trouble : serviceAccount === unlisted?.serviceAccount ? account : null;
  return Promise.all(
    probes.map((probe) => {
      const trouble = troubleOf(probe);
      return trouble === null
        ? run.probe(probe, run.options.image ?? run.options.curlImage)
        : Promise.resolve({ probe, pod: null, results: new Map<string, CallResult>(), trouble, notes: [] });
    }),
  );
}

function setResult(targets: readonly Destination[], probed: readonly ProbeRun[], run: Run): CheckResult {
  const calls = targets.flatMap((target) =>
    probed
      .filter(({ probe }) => probe.calls.some(({ name }) => name === callName(target)))
      .map((each) => ({ target, each, result: each.results.get(callName(target)) })),
  );
  const evidence = calls.flatMap(({ each, result }) =>
    result === undefined ? [] : [`${whoIs(each.probe)}: ${describeCall(result)}`],
  );
  const broken = probed.find(({ trouble, probe }) => trouble !== null && calls.some(({ each }) => each.probe === probe));
  if (broken !== undefined)
    return undecided(`the probe that acts as ${whoIs(broken.probe)} did not run`, broken.trouble ?? "", broken.notes);
  const bare = probed.find(({ probe, pod }) => probe.meshed && pod !== null && proxyOf(pod) === undefined);
  if (bare !== undefined)
    return failed(
      `the probe that acts as ${whoIs(bare.probe)} runs without a proxy`,
      "the proxy injector did not respond, or the caBundle of its webhook is stale (see test M4)",
      evidence,
    );
  const missing = calls.find(({ result }) => result === undefined);
  if (missing !== undefined)
    return undecided(
      `the probe that acts as ${whoIs(missing.each.probe)} ended before all calls were complete`,
      { fix: "run meshops verify again with --keep-probes, then run kubectl logs for the pod of the probe" },
      evidence,
    );
  const wrong = calls.flatMap(({ target, each, result }) => {
    const declared = isDeclared(each.probe, target, run.model);
    const reached = result !== undefined && isReached(each.probe, target, result, declared);
    return reached === declared ? [] : [{ target, probe: each.probe, declared }];
  });
  if (wrong.length === 0) return passed(`${calls.length} tested connections match the spec`, evidence);
  const seen = wrong.map(
    ({ target, probe, declared }) => `${whoIs(probe)} ${declared ? "cannot connect to" : "can connect to"} port ${target.key}`,
  );
  const causes = wrong.map(({ target, probe, declared }) => why(target, probe, declared, run));
  return failed(seen.join(", "), [...new Set(causes)], evidence);
}

/**
 * Whether a call reached the application. A response that no proxy sent is a response of the application. This rule
 * also applies to error responses, except 403: when a proxy refuses a client without an identity, the proxy can send
 * 403 without Linkerd's header. Therefore, 403 counts as a response of the application only if the spec declares the
 * client.
 */
function isReached(probe: Probe, target: Destination, result: CallResult, declared: boolean): boolean {
  const call = probe.calls.find(({ name }) => name === callName(target));
  if (call === undefined || call.kind === "spread") return false;
  const outcome = outcomeOf(call.kind, result);
  if (outcome === "answered") return true;
  if (!hasResponse(result) || isFromProxy(result)) return false;
  return outcome === "broken" || declared;
}

/** Display name of the client that a probe acts as. */
function whoIs({ meshed, namespace, serviceAccount }: Probe): string {
  if (!meshed) return "a pod without a proxy";
  return isVerifyName(serviceAccount) ? `an undeclared client in namespace ${namespace}` : `${namespace}/${serviceAccount}`;
}

/** Returns the reason why the result of a call differs from the spec. Evaluates the policies in the cluster. */
function why({ set, key, port, pod }: Destination, probe: Probe, declared: boolean, { state }: Run): string | CheckProblem {
  const attempt = { from: attemptClientOf(probe, state.namespaces), to: pod, port: port.port };
  const { admitted, refusedBy, mesh } = evaluate(attempt, state.policies, state.installation);
  const place = `${set.title} port ${key}`;
  if (declared)
    return refusedBy !== null
      ? {
          reason: `${refusedBy.object} in the cluster refuses ${whoIs(probe)} at ${place}`,
          fix: `run meshops status to check that the policies of ${set.title} are up to date`,
        }
      : {
          reason: `the policies in the cluster admit ${whoIs(probe)} at ${place}`,
          fix: `check that the application listens on port ${port.port}, and read the log of container linkerd-proxy in pod ${pod.metadata.name}`,
        };
  if (proxyOf(pod) === undefined)
    return `pod ${pod.metadata.name} has no proxy, so Linkerd does not check which clients connect to this pod`;
  if (refusedBy?.layer === "mesh")
    return {
      reason: `${refusedBy.object} refuses ${whoIs(probe)} at ${place}, but the proxy of the called pod admitted the call`,
      fix: `read the log of container linkerd-proxy in pod ${pod.metadata.name}`,
    };
  return admitted
    ? {
        reason: `the policies in the cluster admit ${whoIs(probe)} at ${place} (${mesh.by})`,
        fix: `run meshops status to check that the policies of ${set.title} are up to date`,
      }
    : {
        reason: `${refusedBy?.object} refuses ${whoIs(probe)} at ${place}, but the cluster does not enforce NetworkPolicies`,
        fix: `check that the cluster has a network policy engine`,
      };
}
