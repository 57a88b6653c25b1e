import type { PodSet } from "../../mesh/pod-set.ts";
import type { Environment, PodSet as PodsInSpec, Routes, Workload, WorkloadClient } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";
import { podSet } from "./pod-sets.ts";

/**
 * A set of pods. `set` is the entry in the spec, and `pods` is the PodSet that meshops builds from this entry. The
 * function `at` returns the path of a field of the entry.
 */
export interface DeclaredPods {
  readonly name: string;
  readonly set: PodsInSpec;
  readonly pods: PodSet;
  readonly at: (...steps: string[]) => RuleFinding["paths"][number];
}

/** Returns all sets of pods in `spec.workloads`. */
export function declaredPods(environment: Environment): DeclaredPods[] {
  return Object.entries(environment.spec.workloads).flatMap(([workload, { namespace, pods }]) =>
    Object.entries(pods).map(([key, set]) => ({
      name: `${workload}/${key}`,
      set,
      pods: podSet(environment, { workload, key, namespace, set }),
      at: (...steps: string[]) => spec("workloads", workload, "pods", key, ...steps),
    })),
  );
}

/** A set of pods that has routes. */
export interface RoutedSet {
  readonly key: string;
  readonly pods: PodsInSpec;
  readonly routes: Routes;
}

/** Returns the sets of pods of a workload that have routes. */
export function routedSets({ pods }: Workload): RoutedSet[] {
  return Object.entries(pods).flatMap(([key, set]) => (set.routes === undefined ? [] : [{ key, pods: set, routes: set.routes }]));
}

/**
 * Returns the clients of all sets of pods. Each element of the result contains the client, the key of the client, and
 * the fields of `DeclaredPods` for the set of pods that lists the client.
 */
export function clientsOf(
  environment: Environment,
): (DeclaredPods & { readonly key: string; readonly client: WorkloadClient })[] {
  return declaredPods(environment).flatMap((entry) =>
    Object.entries(entry.set.access.clients).map(([key, client]) => ({ ...entry, key, client })),
  );
}
