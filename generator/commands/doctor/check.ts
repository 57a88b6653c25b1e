/** Result of one check of `meshops doctor`. */
export interface DoctorCheck {
  readonly topic: "tools" | "specs" | "kubernetes" | "azure" | "keys";
  readonly name: string;
  /**
   * `missing`: a problem with something that is optional or that only some uses of meshops require. `error`: a problem
   * with something that is required.
   */
  readonly status: "ok" | "missing" | "error";
  readonly found: string;
  /** How to fix the problem; empty without a problem. */
  readonly fix: string;
}
