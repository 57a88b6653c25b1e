/** Result of one check of `meshops doctor`. */
export interface DoctorCheck {
  readonly topic: "tools" | "specs" | "kubernetes" | "azure" | "keys";
  readonly name: string;
  /**
   * `ok`: the check found no problem. `missing`: the check found a problem that affects only some tasks. `error`: the
   * check found a problem, and `meshops doctor` exits with an error.
   */
  readonly status: "ok" | "missing" | "error";
  readonly found: string;
  /** How to fix the problem. Empty if the check found no problem. */
  readonly fix: string;
}
