/** `undecided`: the check could not get the information that it needs. An undecided check does not count as passed. */
export type CheckStatus = "passed" | "failed" | "skipped" | "undecided";

/** Result of a check. */
export interface CheckResult {
  readonly status: CheckStatus;
  readonly seen: string;
  /**
   * Reason why the check failed or is undecided, and the fix; null if the check passed or was skipped. Several causes
   * are joined by `; `.
   */
  readonly cause: string | null;
  /** All causes that were found, one cause per entry. */
  readonly causes: readonly string[];
  /** Details of what the check observed, one fact per line. */
  readonly evidence: readonly string[];
  /** Facts that the user should know even if the check passed, one fact per entry. */
  readonly notes: readonly string[];
}

export function passed(seen: string, evidence: readonly string[] = [], notes: readonly string[] = []): CheckResult {
  return { status: "passed", seen, cause: null, causes: [], evidence, notes };
}

export function failed(seen: string, cause: string | readonly string[], evidence: readonly string[] = []): CheckResult {
  return withCauses("failed", seen, cause, evidence);
}

export function undecided(seen: string, cause: string | readonly string[], evidence: readonly string[] = []): CheckResult {
  return withCauses("undecided", seen, cause, evidence);
}

export function skipped(why: string): CheckResult {
  return { status: "skipped", seen: why, cause: null, causes: [], evidence: [], notes: [] };
}

function withCauses(
  status: CheckStatus,
  seen: string,
  cause: string | readonly string[],
  evidence: readonly string[],
): CheckResult {
  const causes = typeof cause === "string" ? [cause] : cause;
  return { status, seen, cause: causes.join("; "), causes, evidence, notes: [] };
}
