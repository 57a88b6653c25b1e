/** What was looked at, what came out, and what to do about it. */
export interface Check {
  readonly topic: "tools" | "specs" | "kubernetes" | "azure" | "keys";
  readonly name: string;
  /** `missing`: something cannot be done; `error`: nothing can. */
  readonly status: "ok" | "missing" | "error";
  readonly found: string;
  /** Empty where nothing is to be done. */
  readonly remedy: string;
}
