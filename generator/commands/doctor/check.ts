/** Result of one check of `meshops doctor`. */
export interface DoctorCheck {
  readonly topic: "tools" | "specs" | "kubernetes" | "azure" | "keys";
  readonly name: string;
  /**
   * `missing`: the check found a problem, but only some uses of meshops require the checked tool, access or key.
   * `error`: the check found a problem, and meshops requires the checked tool, access or key.
   */
  readonly status: "ok" | "missing" | "error";
  readonly found: string;
  /** How to fix the problem; empty if the check found no problem. */
  readonly fix: string;
}
