import { curlImage } from "../../catalog/addons.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { isProtected, type PodSet } from "../../mesh/pod-set.ts";
import { policiesFor } from "../../mesh/policies.ts";
import type { Workload } from "../../spec/environment.generated.ts";
import type { Component, ComponentProvider, Context } from "../component.ts";
import { needOf } from "../overrides.ts";
import { podSetsOf } from "./pod-sets.ts";
import { workloadRules } from "./rules.ts";

/**
 * Workloads of the user (`spec.workloads`). Another tool delivers their pods. meshops delivers their policies, in a
 * component of their own, so that the policies stay where they are if meshops later delivers the pods, too.
 */
export const workloads: ComponentProvider = {
  rules: workloadRules,
  *components(context) {
    for (const [key, workload] of Object.entries(context.environment.spec.workloads)) {
      const sets = podSetsOf(context.environment, key);
      yield ofOthers(key, workload, sets);
      if (sets.some(isProtected)) yield policies(key, workload, sets);
    }
  },
};

/** The pods of a workload. Another tool delivers them. */
function ofOthers(key: string, { namespace }: Workload, pods: readonly PodSet[]): Component {
  return {
    id: `workloads/${key}`,
    group: key,
    needs: [],
    build: () => ({
      namespace,
      delivery: { kind: "none", podsIn: null },
      pods,
      // Image of the probes of `meshops verify`.
      images: pods.some(isProtected) ? [curlImage] : [],
    }),
  };
}

function policies(key: string, { namespace, dependsOn }: Workload, sets: readonly PodSet[]): Component {
  return {
    id: `policies/${key}`,
    group: key,
    // The policy controller in the control plane runs the webhook that validates policies.
    needs: [{ component: "linkerd-control-plane" }, ...dependsOn.map(needOf)],
    build: ({ linkerdRelease }: Context) => {
      const built = sets.map((set) => policiesFor(set, linkerdRelease));
      return {
        namespace,
        delivery: { kind: "objects", helmfile: "release" },
        objects: {
          ...file(
            "network-policies",
            built.flatMap(({ network }) => network),
          ),
          ...file(
            "authorization",
            built.flatMap(({ mesh }) => mesh),
          ),
        },
        timeoutMinutes: 2,
      };
    },
  };
}

function file(name: string, objects: readonly KubernetesObject[]): Record<string, readonly KubernetesObject[]> {
  return objects.length === 0 ? {} : { [name]: objects };
}
