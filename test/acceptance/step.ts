import type { Story } from "./story.ts";

/** A figure that a step measured, such as `["Dgraph ready", "62 s"]`. */
export type Measure = readonly [name: string, value: string];

/** One step of the story. A step fails if `run` throws an error. */
export interface Step {
  readonly id: string;
  readonly title: string;
  /** Ids of steps that must have passed before. */
  readonly after: readonly string[];
  /** Returns the reason why the step cannot run with these options or on this cluster; null if it can run. */
  readonly missing?: (story: Story) => string | null;
  run(story: Story): Promise<readonly Measure[]>;
}

/** Thrown by a step that finds out that it cannot run. The step is then reported as not run, and never as passed. */
export class NotRun extends Error {}

export interface StepResult {
  readonly id: string;
  readonly status: "passed" | "failed" | "not run";
  readonly seconds: number;
  readonly measures: readonly Measure[];
  /** Error of a failed step, or reason why a step did not run; empty if the step passed. */
  readonly message: string;
}
