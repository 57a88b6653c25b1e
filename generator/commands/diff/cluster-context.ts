import type { Step } from "../../components/change-rule.ts";
import type { ObjectChange } from "../../diff/diff.ts";
import { shellWord } from "../../system/shell.ts";

/**
 * Adds the context of an environment to the commands in the steps of a change. The commands then always run in the
 * cluster of this environment.
 *
 * @param context kubectl context; null if it is not known
 */
export function inContext(change: ObjectChange, context: string | null): ObjectChange {
  return context === null ? change : { ...change, steps: change.steps.map((step) => stepIn(step, shellWord(context))) };
}

function stepIn({ text, command }: Step, context: string): Step {
  if (command === undefined) return { text };
  return {
    text,
    command: command
      .replace(/\bkubectl (?=[a-z])/g, `kubectl --context ${context} `)
      .replace(/\bhelm (?=[a-z])/g, `helm --kube-context ${context} `),
  };
}
