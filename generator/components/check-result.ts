/** `undecided`: the check could not get the information that it needs. An undecided check does not count as passed. */
export type CheckStatus = "passed" | "failed" | "skipped" | "undecided";

/** A reason why a check failed or is undecided, and the fix. At least one of the fields is set. */
export interface CheckProblem {
  readonly reason?: string;
  readonly fix?: string;
}

/** Result of a check. */
export interface CheckResult {
  readonly status: CheckStatus;
  readonly seen: string;
  /** All problems as one text, joined by `; `. Null if the check passed or was skipped. */
  readonly cause: string | null;
  /** All problems as texts, one problem per entry. */
  readonly causes: readonly string[];
  /** Why the check failed or is undecided, and how to fix it. Empty if the check passed or was skipped. */
  readonly problems: readonly CheckProblem[];
  /** Details of what the check observed, one fact per line. */
  readonly evidence: readonly string[];
  /** Facts that the user should know even if the check passed, one fact per entry. */
  readonly notes: readonly string[];
}

/** A problem, or a list of problems. A string is a reason without a fix. */
export type Problems = string | CheckProblem | readonly (string | CheckProblem)[];

export function passed(seen: string, evidence: readonly string[] = [], notes: readonly string[] = []): CheckResult {
  return { status: "passed", seen, cause: null, causes: [], problems: [], evidence, notes };
}

export function failed(seen: string, problems: Problems, evidence: readonly string[] = []): CheckResult {
  return withProblems("failed", seen, problems, evidence);
}

export function undecided(seen: string, problems: Problems, evidence: readonly string[] = []): CheckResult {
  return withProblems("undecided", seen, problems, evidence);
}

export function skipped(why: string): CheckResult {
  return { status: "skipped", seen: why, cause: null, causes: [], problems: [], evidence: [], notes: [] };
}

function withProblems(status: CheckStatus, seen: string, given: Problems, evidence: readonly string[]): CheckResult {
  const list = typeof given === "string" ? [given] : "length" in given ? given : [given];
  const problems = list.map((each): CheckProblem => (typeof each === "string" ? { reason: each } : each));
  const causes = problems.map(({ reason, fix }) => [reason, fix].filter((text) => text !== undefined).join(": "));
  return { status, seen, cause: causes.join("; "), causes, problems, evidence, notes: [] };
}
