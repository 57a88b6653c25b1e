import type { Snapshot } from "../../cluster/status/snapshot.ts";
import { type Model, podSetsIn } from "../../components/model.ts";
import { rolloutOf } from "../../kubernetes/rollout.ts";
import { tapFix, untappedPods } from "../../mesh/tap.ts";
import { plural } from "../../system/text.ts";
import { wrap, wrapCommand } from "../terminal/wrap.ts";

/** A workload with pods that started before the tap injector of viz. Tap cannot report the calls of these pods. */
export interface Untapped {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pods: readonly string[];
  /** Command that restarts the pods. After the restart, tap can report the calls of these pods. */
  readonly fix: string;
}

/**
 * Name of the Deployment of the tap injector, as in the rendered linkerd-viz charts. The tap injector is a webhook that
 * enables tap in new pods.
 */
const tapInjector = "tap-injector";

/**
 * Returns the workloads with pods that started before the tap injector of viz. Returns an empty list if the tap
 * injector is not ready.
 */
export function untappedIn(model: Model, { workloads, pods, namespaces }: Snapshot): Untapped[] {
  const ready = workloads.some((workload) => workload.metadata.name === tapInjector && rolloutOf(workload).readyReplicas > 0);
  if (!ready) return [];
  return podSetsIn(model)
    .map((set) => ({ set, found: untappedPods(set, pods, namespaces) }))
    .filter(({ found }) => found.length > 0)
    .map(({ set, found }) => ({
      ...(set.workloadRef ?? { kind: "Pod", name: set.title }),
      namespace: set.namespace,
      pods: found.map(({ metadata }) => metadata.name),
      fix: tapFix(set),
    }));
}

/** Returns lines for the text output about the pods whose calls tap cannot report. */
export function renderUntapped(found: readonly Untapped[]): string[] {
  if (found.length === 0) return [];
  const count = found.reduce((sum, { pods }) => sum + pods.length, 0);
  return [
    ...wrap(
      `tap cannot report the calls of ${plural(count, "pod")}, because ${count === 1 ? "it" : "they"} started before viz's tap injector; run these commands to restart the pods:`,
      "",
    ),
    ...found.flatMap(({ fix }) => wrapCommand(fix, "    ")),
  ];
}
