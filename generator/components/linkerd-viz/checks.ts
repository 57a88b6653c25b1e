import { condition } from "../../kubernetes/object-fields.ts";
import type { ClusterState, StateCheck } from "../check.ts";
import { type CheckResult, failed, passed } from "../check-result.ts";
import { readyIn } from "../readiness.ts";

/** Tests of viz. */
export const vizChecks: readonly StateCheck[] = [
  {
    id: "M6",
    title: "viz is reachable",
    expected: "all workloads are ready, and the tap API is available",
    evaluate: vizReachable,
  },
];

/** Checks that viz is ready, and that the API server can reach the tap API of viz. */
function vizReachable(state: ClusterState): CheckResult {
  const ready = readyIn(state, "linkerd-viz");
  if (ready.status !== "passed") return ready;
  const api = state.apiServices.find(({ metadata }) => metadata.name === "v1alpha1.tap.linkerd.io");
  const available = api === undefined ? undefined : condition(api, "Available");
  if (available?.status === "True") return passed(`${ready.seen}, and the tap API is available`);
  return failed("the tap API is not available", available?.message ?? "APIService v1alpha1.tap.linkerd.io does not exist");
}
