import type { Environment, PodSet, WorkloadClient } from "../../spec/environment.generated.ts";
import { type RuleFinding, spec } from "../../spec/rule.ts";

/** A set of pods in the spec, and the path of its fields. */
export interface Entry {
  readonly name: string;
  readonly set: PodSet;
  readonly at: (...steps: string[]) => RuleFinding["paths"][number];
}

/** All sets of pods of an environment. */
export function entriesOf({ spec: { workloads } }: Environment): Entry[] {
  return Object.entries(workloads).flatMap(([workload, { pods }]) =>
    Object.entries(pods).map(([key, set]) => ({
      name: `${workload}/${key}`,
      set,
      at: (...steps: string[]) => spec("workloads", workload, "pods", key, ...steps),
    })),
  );
}

/** Clients of all sets, with their entries. */
export function clientsOf(environment: Environment): (Entry & { readonly key: string; readonly client: WorkloadClient })[] {
  return entriesOf(environment).flatMap((entry) =>
    Object.entries(entry.set.access.clients).map(([key, client]) => ({ ...entry, key, client })),
  );
}
