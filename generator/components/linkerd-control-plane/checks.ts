import type { KubernetesObject } from "../../kubernetes/object.ts";
import { factsOf, injectionNamespace, isMeshed, requestsProxy } from "../../mesh/meshed.ts";
import { proxyOf } from "../../mesh/pod.ts";
import { isInSet } from "../../mesh/pod-set.ts";
import type { ClusterState, StateCheck } from "../check.ts";
import { type CheckResult, failed, passed } from "../check-result.ts";
import { readyIn } from "../readiness.ts";

/** Tests of the control plane and of injection. */
export const controlPlaneChecks: readonly StateCheck[] = [
  {
    id: "M1",
    title: "the control plane is ready",
    expected: "every workload is ready",
    evaluate: (state) => readyIn(state, "linkerd"),
  },
  {
    id: "M5",
    title: "every pod that should be meshed is meshed",
    expected: "each pod that should be meshed has a proxy of the Linkerd release in the spec",
    evaluate: podsMeshed,
  },
];

/** Checks that every pod that should be meshed has a proxy of the Linkerd release in the spec. */
function podsMeshed({ pods, namespaces, podSets, installation }: ClusterState): CheckResult {
  const linkerdRelease = installation.release;
  const described = podSets.filter(({ inject }) => requestsProxy(inject));
  const wanted = pods.filter((pod) => {
    const namespace = injectionNamespace(pod.metadata.namespace ?? "", namespaces);
    const facts = factsOf(pod.metadata.annotations ?? {}, pod["spec"], namespace);
    return described.some((set) => isInSet(pod, set)) || isMeshed(facts) === "yes";
  });
  const name = ({ metadata }: KubernetesObject): string => `${metadata.namespace}/${metadata.name}`;
  const bare = wanted.filter((pod) => proxyOf(pod) === undefined).map(name);
  const old = wanted
    .filter(
      (pod) => (pod.metadata.annotations?.["linkerd.io/proxy-version"] ?? linkerdRelease.version) !== linkerdRelease.version,
    )
    .map(name);
  const problems = [
    {
      found: bare,
      seen: `${bare.length} of ${wanted.length} pods run without a proxy`,
      problem: {
        reason: "the API server did not call the injector, or the injector did not answer",
        fix: "restart the listed pods",
      },
    },
    {
      found: old,
      seen: `${old.length} of ${wanted.length} pods run a proxy of a release other than ${linkerdRelease.version}`,
      problem: { reason: `the listed pods started before Linkerd ${linkerdRelease.version} was installed`, fix: "restart them" },
    },
  ].filter(({ found }) => found.length > 0);
  if (problems.length > 0)
    return failed(
      problems.map(({ seen }) => seen).join(", "),
      problems.map(({ problem }) => problem),
      problems.flatMap(({ found }) => found),
    );
  if (wanted.length === 0 && podSets.length === 0)
    return passed("the spec declares no workloads, and the cluster contains no pod that should be meshed");
  return wanted.length === 0
    ? failed("no meshed pods", {
        reason: "the cluster contains no pod that should be meshed",
        fix: "run meshops status to see the reason",
      })
    : passed(`${wanted.length} pods, ${linkerdRelease.version}`);
}
