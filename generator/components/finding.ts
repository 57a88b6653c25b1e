/** `undecided` does not pass: something kept the test from seeing what it looks for. */
export type CheckStatus = "passed" | "failed" | "skipped" | "undecided";

/** What a check found. */
export interface Finding {
  readonly status: CheckStatus;
  readonly seen: string;
  /** Why it did not pass, and how to fix it; null if it passed. Several causes are joined by `; `. */
  readonly cause: string | null;
  /** Every cause that was found, each with the objects that were read. */
  readonly causes: readonly string[];
  /** What was seen in detail, one line per fact. */
  readonly evidence: readonly string[];
  /** What the user should know although the test passed, one fact per entry. */
  readonly notes: readonly string[];
}

export function passed(seen: string, evidence: readonly string[] = [], notes: readonly string[] = []): Finding {
  return { status: "passed", seen, cause: null, causes: [], evidence, notes };
}

export function failed(seen: string, cause: string | readonly string[], evidence: readonly string[] = []): Finding {
  return withCauses("failed", seen, cause, evidence);
}

export function undecided(seen: string, cause: string | readonly string[], evidence: readonly string[] = []): Finding {
  return withCauses("undecided", seen, cause, evidence);
}

export function skipped(why: string): Finding {
  return { status: "skipped", seen: why, cause: null, causes: [], evidence: [], notes: [] };
}

function withCauses(status: CheckStatus, seen: string, cause: string | readonly string[], evidence: readonly string[]): Finding {
  const causes = typeof cause === "string" ? [cause] : cause;
  return { status, seen, cause: causes.join("; "), causes, evidence, notes: [] };
}
