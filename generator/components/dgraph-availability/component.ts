import type { V1PodDisruptionBudget } from "@kubernetes/client-node";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import type { Component, ComponentProvider } from "../component.ts";
import { podSettingsOf } from "../dgraph/availability.ts";
import { dgraphPods } from "../dgraph/pods.ts";

/** PodDisruptionBudgets for Dgraph. The chart has no value that creates PodDisruptionBudgets. */
export const dgraphAvailability: ComponentProvider = {
  optional: ["dgraph-availability"],
  components: ({ environment }) => (environment.spec.dgraph.enabled && budgets(environment).length > 0 ? [component] : []),
};

const component: Component = {
  id: "dgraph-availability",
  group: "dgraph",
  needs: [{ component: "namespaces" }],
  build: ({ environment }) => ({
    namespace: environment.spec.dgraph.namespace,
    delivery: { kind: "objects", helmfile: "release" },
    objects: { "disruption-budgets": budgets(environment) },
    timeoutMinutes: 2,
  }),
};

function budgets(environment: Environment): KubernetesObject[] {
  const { namespace } = environment.spec.dgraph;
  return dgraphPods(environment).flatMap((pods, index) => {
    const { podDisruptionBudget } = podSettingsOf(environment, index === 0 ? "alpha" : "zero");
    if (podDisruptionBudget === undefined) return [];
    const { name, selector } = pods;
    return [
      {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name, namespace },
        spec: { ...podDisruptionBudget, selector },
      } satisfies V1PodDisruptionBudget,
    ];
  });
}
