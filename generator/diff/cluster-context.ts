import type { Step } from "../components/change-rule.ts";
import { shellWord } from "../system/shell.ts";
import type { AssessedChange } from "./diff.ts";

/**
 * Adds the context of an environment's cluster to the kubectl and helm commands in the steps of a change. The commands
 * then always run in this cluster.
 *
 * @param context kubectl context, or null if the spec does not specify a context. If null, the function returns the
 *   change unchanged
 */
export function inContext(change: AssessedChange, context: string | null): AssessedChange {
  if (context === null) return change;
  const inCluster = (steps: readonly Step[]): Step[] => steps.map((step) => stepIn(step, shellWord(context)));
  const { procedures } = change;
  return {
    ...change,
    steps: inCluster(change.steps),
    ...(procedures === undefined ? {} : { procedures: procedures.map((each) => ({ ...each, steps: inCluster(each.steps) })) }),
  };
}

function stepIn(step: Step, context: string): Step {
  const { command } = step;
  if (command === undefined) return step;
  return {
    ...step,
    command: command
      .replace(/\bkubectl (?=[a-z])/g, `kubectl --context ${context} `)
      .replace(/\bhelm (?=[a-z])/g, `helm --kube-context ${context} `),
  };
}

/**
 * Returns the kubectl context of the environment before the change. Returns null if the context does not change. A
 * context changes, for example, if the cluster is renamed. The commands in the steps need the old context, because they
 * change objects in the old cluster.
 */
export function oldContext(changes: readonly AssessedChange[], environment: string): string | null {
  const helmfile = changes.find((change) => change.kind === "Helmfile" && change.environment === environment);
  const before = helmfile?.fields.find(({ path }) => path === "helmDefaults.kubeContext")?.before;
  return typeof before === "string" ? before : null;
}
