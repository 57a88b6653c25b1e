/** One check of `meshops doctor`, with its result and how to fix it. */
export interface DoctorCheck {
  readonly topic: "tools" | "specs" | "kubernetes" | "azure" | "keys";
  readonly name: string;
  /** `missing`: optional, or required only for some uses of meshops; `error`: required. */
  readonly status: "ok" | "missing" | "error";
  readonly found: string;
  /** How to fix it; empty if there is nothing to fix. */
  readonly fix: string;
}
