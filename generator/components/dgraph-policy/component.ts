import type { KubernetesObject } from "../../kubernetes/object.ts";
import { policiesFor } from "../../mesh/policies.ts";
import type { Component, ComponentProvider } from "../component.ts";
import { dgraphPods } from "../dgraph/pods.ts";
import { policyChanges } from "./change-rules.ts";
import { dgraphPolicyRules } from "./rules.ts";

/** Access policies for Dgraph: NetworkPolicies, and Linkerd's policy resources. */
export const dgraphPolicy: ComponentProvider = {
  optional: ["dgraph-policy"],
  rules: dgraphPolicyRules,
  changeRules: [policyChanges],
  components: ({ environment: { spec } }) => (spec.dgraph.enabled && spec.dgraph.networkPolicy ? [component] : []),
};

const component: Component = {
  id: "dgraph-policy",
  group: "dgraph",
  // The policy controller in the control plane runs the webhook that validates policies.
  needs: [{ component: "linkerd-control-plane" }],
  build: ({ environment, linkerdRelease }) => {
    const policies = dgraphPods(environment).map((pods) => policiesFor(pods, linkerdRelease));
    return {
      namespace: environment.spec.dgraph.namespace,
      delivery: { kind: "objects", helmfile: "release" },
      objects: {
        "network-policies": policies.flatMap(({ network }) => network),
        authorization: internalPortsLast(policies.flatMap(({ mesh }) => mesh)),
      },
      timeoutMinutes: 2,
    };
  },
};

/**
 * Sorts the objects in the same order as older versions of meshops: first the objects for ports that clients use, then
 * the objects for ports that only Dgraph uses.
 */
function internalPortsLast(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const isInternal = ({ metadata }: KubernetesObject): boolean => metadata.name.endsWith("-internal");
  return [...objects.filter((object) => !isInternal(object)), ...objects.filter(isInternal)];
}
