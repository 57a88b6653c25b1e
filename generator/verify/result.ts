/** `undecided` is no pass: something kept the test from seeing what it looks for. */
export type Verdict = "passed" | "failed" | "skipped" | "undecided";

/** What a test found, but for what is the same of every run. */
export interface Finding {
  readonly status: Verdict;
  readonly seen: string;
  /** Why it did not pass, and what helps; null where it did. */
  readonly cause: string | null;
  /** What was seen in detail, a line each. */
  readonly evidence: readonly string[];
}

export interface TestResult extends Finding {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
  readonly durationMs: number;
}

export function passed(seen: string, evidence: readonly string[] = []): Finding {
  return { status: "passed", seen, cause: null, evidence };
}

export function failed(seen: string, cause: string, evidence: readonly string[] = []): Finding {
  return { status: "failed", seen, cause, evidence };
}

export function skipped(why: string): Finding {
  return { status: "skipped", seen: why, cause: null, evidence: [] };
}

export function undecided(seen: string, cause: string, evidence: readonly string[] = []): Finding {
  return { status: "undecided", seen, cause, evidence };
}

/** Whether nothing failed and nothing stayed open; what was skipped was not asked for. */
export function allPassed(results: readonly TestResult[]): boolean {
  return results.every(({ status }) => status === "passed" || status === "skipped");
}
