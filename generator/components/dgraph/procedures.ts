import type { DgraphRole } from "../../catalog/dgraph.ts";
import { type ChangedObject, push, type Step } from "../change-rule.ts";
import { suspend, suspendKustomizations } from "../flux-commands.ts";
import { askZero, indices, memberName, type RunningDgraph, releaseName, title } from "./members.ts";

/** New size of the volumes of a role. */
export interface Resize {
  readonly role: DgraphRole;
  readonly size: string;
}

/**
 * Returns the steps that uninstall Dgraph if the spec no longer contains Dgraph. The user uninstalls Dgraph before the
 * push. After the push, Flux only has to remove the policies.
 */
export function uninstall(
  { namespace, before }: Pick<ChangedObject, "namespace" | "before">,
  kustomization: Pick<ChangedObject, "name" | "namespace">,
): Step[] {
  const release = releaseName(before);
  return [
    { text: 'If you still need the data, export it first (Dgraph documentation, "Export Database").' },
    {
      text: `Suspend the Kustomization ${kustomization.name}. Otherwise, Flux creates the HelmRelease of Dgraph again after you delete it in the next step.`,
      command: suspendKustomizations([kustomization.name], kustomization.namespace),
    },
    { text: "Uninstall Dgraph. The volumes are kept.", command: `kubectl delete helmrelease dgraph --namespace ${namespace}` },
    push,
    { text: "Wait until Flux has removed the Kustomizations of Dgraph." },
    {
      text: "Delete the HelmRepository of Dgraph. Flux keeps it, because its Kustomization was suspended.",
      command: `kubectl delete helmrepository.source.toolkit.fluxcd.io dgraph --namespace ${namespace}`,
    },
    {
      text: "Delete the volumes when you no longer need the data.",
      phase: "last",
      command: `kubectl delete pvc --namespace ${namespace} --selector app=dgraph,release=${release}`,
    },
  ];
}

/**
 * Returns the steps for a change of a StatefulSet's immutable fields. In the first step, the user suspends the
 * HelmRelease. Without this step, Flux's drift detection would create the deleted StatefulSets again from the old
 * chart.
 *
 * @param roles roles whose StatefulSets must be created again
 * @param nextChart version of the new chart; null if the version does not change. A new version changes the selectors
 *   of the StatefulSets and Services.
 */
export function recreateStatefulSets(
  dgraph: RunningDgraph,
  roles: readonly DgraphRole[],
  resizes: readonly Resize[] = [],
  nextChart: string | null = null,
): Step[] {
  const { namespace, alphas, zeros } = dgraph;
  const helmRelease = `helmrelease dgraph --namespace ${namespace}`;
  const suspended = (value: boolean): string => suspend("helmrelease", ["dgraph"], namespace, value);
  return [
    {
      text: "Suspend the HelmRelease. Otherwise, when you delete the StatefulSets in a later step, Flux immediately creates them again with the old settings.",
      command: suspended(true),
    },
    ...resizes.map(({ role, size }) => ({
      text: `Resize the existing volumes of ${title(role)}. The storage class must allow volume expansion (allowVolumeExpansion).`,
      command: `for i in ${indices(role === "alpha" ? alphas : zeros)}; do kubectl patch pvc datadir-${memberName(dgraph, role)}-$i --namespace ${namespace} --patch '{"spec":{"resources":{"requests":{"storage":"${size}"}}}}'; done`,
    })),
    {
      text: "Delete the StatefulSets, but keep their pods and volumes.",
      command: `kubectl delete statefulset ${roles.map((role) => memberName(dgraph, role)).join(" ")} --namespace ${namespace} --cascade=orphan`,
    },
    {
      text: "Store the generation of the HelmRelease in a shell variable. A later step uses it, so keep this shell open.",
      command: `generation=$(kubectl get ${helmRelease} --output jsonpath={.metadata.generation})`,
    },
    push,
    {
      text: "Wait until Flux has changed the HelmRelease.",
      command: `kubectl wait ${helmRelease} --for=jsonpath='{.metadata.generation}'=$((generation + 1)) --timeout=15m`,
    },
    { text: "Resume the HelmRelease.", command: suspended(false) },
    ...(nextChart === null ? [] : [relabel(dgraph, nextChart)]),
  ];
}

/**
 * Returns the step that sets the label `chart` of the running pods to the new chart version. The selectors of the
 * chart's StatefulSets and Services contain this label (dgraph chart 24.1.4, templates). The StatefulSets then adopt
 * the pods, and replace them one by one.
 */
function relabel({ namespace, release }: RunningDgraph, nextChart: string): Step {
  const chart = `dgraph-${nextChart}`;
  return {
    text: "As soon as Helm has changed the Services, give the running pods the label that the new Services and StatefulSets select. The StatefulSets then replace the pods one by one.",
    command: `kubectl wait service ${release}-dgraph-alpha --namespace ${namespace} --for=jsonpath='{.spec.selector.chart}'=${chart} --timeout=15m && kubectl label pods --namespace ${namespace} --selector app=dgraph,release=${release} chart=${chart} --overwrite`,
  };
}

/**
 * Members of a role that a change removes. The change removes each member with an index that is equal to or higher than
 * `remaining`, the number of members after the change.
 */
export interface Removal {
  readonly role: DgraphRole;
  readonly remaining: number;
}

/**
 * Returns the steps for a change that reduces the number of Alphas or Zeros. In these steps, the user removes the
 * members from their groups before Flux removes the pods. Zero refuses to remove the last member of a group that still
 * has predicates (dgraph v24.1.4, dgraph/cmd/zero/zero.go, RemoveNode).
 */
export function removeMembers(dgraph: RunningDgraph, removals: readonly Removal[]): Step[] {
  const podsOf = ({ role, remaining }: Removal): string => indices(role === "alpha" ? dgraph.alphas : dgraph.zeros, remaining);
  return [
    ...removals.flatMap((removal) => leaveGroup(dgraph, removal.role, podsOf(removal))),
    push,
    { text: "Wait until Flux has removed the pods." },
    ...removals.map((removal) => ({
      text: `Delete the volumes of the removed pods of ${title(removal.role)}. A removed member cannot use its old volume again.`,
      command: `for i in ${podsOf(removal)}; do kubectl delete pvc datadir-${memberName(dgraph, removal.role)}-$i --namespace ${dgraph.namespace}; done`,
    })),
  ];
}

function leaveGroup(dgraph: RunningDgraph, role: DgraphRole, pods: string): Step[] {
  const name = memberName(dgraph, role);
  const alpha = role === "alpha";
  const removed = pods
    .split(" ")
    .map((index) => `${name}-${index}`)
    .join(", ");
  return [
    {
      text: `Find the ID${alpha ? " and the group" : ""} of each pod that this change removes: ${removed}. The command needs jq.`,
      command: `${askZero(dgraph, "/state")} | jq -r '${alpha ? ".groups[].members[]" : ".zeros[]"} | "\\(.id) \\(.groupId // 0) \\(.addr)"'`,
    },
    ...(alpha
      ? [
          {
            text: "If a group loses all its members, move each predicate (tablet) of this group to a remaining group. To list the predicates, run the previous command without jq. In the list, the name of a predicate starts with the number of its namespace, as in 0-name. Omit the number and the dash in the command below.",
            command: askZero(dgraph, "/moveTablet?tablet=<predicate>&group=<remaining group>"),
          },
        ]
      : []),
    {
      text: `Remove these pods from ${alpha ? "their groups" : "the group of Zeros"}: ${removed}. Run the command once for each pod, with the ID${alpha ? " and the group" : ""} of the pod. If the Zero answers that it is not the leader, run the command in the next Zero.`,
      command: askZero(dgraph, `/removeNode?id=<id>&group=${alpha ? "<group>" : "0"}`),
    },
  ];
}
