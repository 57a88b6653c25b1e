import type { CheckResult } from "../../components/check-result.ts";

export interface TestResult extends CheckResult {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
  readonly durationMs: number;
}

/** Whether every test passed or was skipped. */
export function allPassed(results: readonly TestResult[]): boolean {
  return results.every(({ status }) => status === "passed" || status === "skipped");
}
