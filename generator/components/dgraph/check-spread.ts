import { dgraphPorts } from "../../catalog/dgraph.ts";
import { portKeys } from "../../catalog/well-known.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { condition } from "../../kubernetes/object-fields.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { isInSet, type PodSet } from "../../mesh/pod-set.ts";
import { podLists } from "../../mesh/ports.ts";
import { duration, plural } from "../../system/text.ts";
import type { ClusterState, ProbeAnswers } from "../check.ts";
import { type CheckProblem, type CheckResult, failed, passed, undecided } from "../check-result.ts";
import { notAsked } from "./check-answers.ts";

/** Seconds within which every Alpha must answer. */
export const spreadSeconds = 30;

/**
 * Checks that the calls over one connection reach every ready Alpha. A proxy balances calls by latency (power of two
 * choices with peak EWMA, linkerd2-proxy linkerd/proxy/balance), so the Alphas do not get the same number of calls. In
 * a measurement on a healthy mesh, one of three Alphas received none of 60 calls within 0.1 s. The check therefore
 * requires that more than one Alpha answers within the first second, and that every Alpha answers within
 * `spreadSeconds`.
 */
export function callsSpread(run: ProbeAnswers, state: ClusterState, alpha: PodSet): CheckResult {
  const call = run.results.get("spread");
  if (call === undefined || call.exit !== 0) return notAsked(run, call, "grpc");
  const [first, all] = ["first", "all"].map(
    (when) =>
      new Map(
        [...call.output.matchAll(new RegExp(`^${when} (\\S+) (\\d+)$`, "gm"))].map(([, pod = "", count]) => [pod, Number(count)]),
      ),
  );
  const ready = readyPods(state, alpha);
  const share = (pod: string): number => all?.get(pod) ?? 0;
  const total = ready.reduce((sum, pod) => sum + share(pod), 0);
  const evidence = ready.map(
    (pod) => `${pod}: ${share(pod)} of ${total} calls, ${first?.get(pod) ?? 0} of them in the first second`,
  );
  if (total === 0)
    return undecided(
      "not measured",
      "the metrics of the probe's proxy contain no request counts per pod. This means that the proxy does not balance requests",
      evidence,
    );
  const silent = ready.filter((pod) => share(pod) === 0);
  if (silent.length === ready.length - 1 && ready.length > 1)
    return failed("one Alpha receives all calls", oneAlphaCauses(podsOf(state, alpha)), evidence);
  if (silent.length > 0)
    return failed(
      `no call reached ${silent.join(", ")} within ${duration(spreadSeconds * 1000)}`,
      {
        reason: `the probe's proxy avoids slow or failing endpoints`,
        fix: `check the logs of Dgraph and of the proxy (kubectl logs) in ${silent.join(", ")}`,
      },
      evidence,
    );
  const early = ready.filter((pod) => (first?.get(pod) ?? 0) > 0);
  if (early.length < Math.min(2, ready.length))
    return failed(
      "one Alpha received all calls in the first second",
      { reason: "the probe's proxy discovered the other Alphas late", fix: "see test M5, and run this test again" },
      evidence,
    );
  return passed(`each of ${plural(ready.length, "Alpha")} answered`, evidence);
}

/**
 * Returns possible reasons why all calls of a connection reach one Alpha: proxies balance connections instead of calls,
 * or some Alphas have no proxy.
 */
function oneAlphaCauses(pods: readonly KubernetesObject[]): (string | CheckProblem)[] {
  const grpc = dgraphPorts.alpha.grpc;
  const bypassed = pods.some((pod) => [portKeys.opaque, portKeys.skipInbound].some((key) => podLists(pod, key, grpc)));
  const bare = pods.filter((pod) => proxyOf(pod) === undefined).map(({ metadata }) => metadata.name);
  const found = [
    ...(bypassed ? [`port ${grpc} is opaque or skipped on Alpha's pods, so proxies balance connections, not calls`] : []),
    ...(bare.length > 0 ? [{ reason: "some pods of Alpha have no proxy", fix: `restart these pods: ${bare.join(", ")}` }] : []),
  ];
  return found.length > 0
    ? found
    : [
        `port ${grpc} might be opaque on the Service or skipped by the client. In that case, proxies balance connections, not calls`,
      ];
}

/** Returns the names of the pods of a set. Omits pods whose condition `Ready` is False. */
export function readyPods(state: Pick<ClusterState, "pods">, set: PodSet): string[] {
  return podsOf(state, set)
    .filter((pod) => condition(pod, "Ready")?.status !== "False")
    .map(({ metadata }) => metadata.name);
}

function podsOf({ pods }: Pick<ClusterState, "pods">, set: PodSet): KubernetesObject[] {
  return pods.filter((pod) => isInSet(pod, set));
}
