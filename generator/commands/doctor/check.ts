/** What was looked at, what came out, and what to do about it. */
export interface DoctorCheck {
  readonly topic: "tools" | "specs" | "kubernetes" | "azure" | "keys";
  readonly name: string;
  /** `missing`: optional, or nobody but you knows whether you need it; `error`: required. */
  readonly status: "ok" | "missing" | "error";
  readonly found: string;
  /** How to fix it; empty if there is nothing to fix. */
  readonly fix: string;
}
