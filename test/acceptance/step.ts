import type { Story } from "./story.ts";

/** Name and value of a figure that a step measured, such as `["Dgraph ready", "62 s"]`. */
export type Measure = readonly [name: string, value: string];

/** One step of the acceptance run. A step fails if `run` throws an error other than NotRun. */
export interface Step {
  readonly id: string;
  readonly title: string;
  /** Ids of the steps that must have passed before this step can run. */
  readonly after: readonly string[];
  /** Returns the reason why the step cannot run with these options or on this cluster; null if it can run. */
  readonly missing?: (story: Story) => string | null;
  run(story: Story): Promise<readonly Measure[]>;
}

/** A step throws this error if it detects that it cannot run. The report then contains the step as `not run`. */
export class NotRun extends Error {}

export interface StepResult {
  readonly id: string;
  readonly status: "passed" | "failed" | "not run";
  readonly seconds: number;
  readonly measures: readonly Measure[];
  /** Error of a failed step, or reason why a step did not run; empty if the step passed. */
  readonly message: string;
}
