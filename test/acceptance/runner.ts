import { NotRun, type Step, type StepResult } from "./step.ts";
import type { Story } from "./story.ts";

/**
 * Runs the steps in the given order, and prints each step and its result. Does not repeat a step that passed in an
 * earlier run, unless `--only` contains the step. Always repeats the step `preflight`.
 */
export async function runSteps(
  story: Story,
  steps: readonly Step[],
  print: (line: string) => void,
  stopping: () => boolean,
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const earlier = story.record.result(step.id);
    const { only } = story.options;
    if (earlier?.status === "passed" && !only.includes(step.id) && step.id !== "preflight") {
      print(`== ${step.id}: passed in an earlier run`);
      results.push(earlier);
      continue;
    }
    const result = await resultOf(story, step, results, print, stopping);
    story.record.addResult(result);
    results.push(result);
  }
  return results;
}

async function resultOf(
  story: Story,
  step: Step,
  earlier: readonly StepResult[],
  print: (line: string) => void,
  stopping: () => boolean,
): Promise<StepResult> {
  const result = (status: StepResult["status"], message: string, seconds: number = 0): StepResult => ({
    id: step.id,
    status,
    seconds,
    measures: [],
    message,
  });
  const reason = stopping() ? "the run was interrupted" : reasonNotToRun(story, step, earlier);
  if (reason !== null) {
    print(`== ${step.id}: not run: ${reason}`);
    return result("not run", reason);
  }
  print(`== ${step.id}: ${step.title}`);
  const began = Date.now();
  const seconds = (): number => (Date.now() - began) / 1000;
  try {
    const measures = await step.run(story);
    for (const [name, value] of measures) print(`   ${name}: ${value}`);
    print(`   passed after ${seconds().toFixed(1)} s`);
    return { ...result("passed", "", seconds()), measures };
  } catch (error) {
    const { message } = error as Error;
    const status = error instanceof NotRun || stopping() ? "not run" : "failed";
    print(`   ${status}: ${message}`);
    return result(status, message, seconds());
  }
}

/**
 * Returns the reason why a step must not run; null if the step can run. A step must not run if `--only` is set and does
 * not contain the step, if a step in `after` has not passed, or if `missing` returns a reason.
 */
function reasonNotToRun(story: Story, step: Step, earlier: readonly StepResult[]): string | null {
  const { only } = story.options;
  if (only.length > 0 && !only.includes(step.id)) return "not selected by --only";
  const open = step.after.find((id) => earlier.find((result) => result.id === id)?.status !== "passed");
  return open === undefined ? (step.missing?.(story) ?? null) : `step ${open} has not passed`;
}
