/** What can be wrong with an encrypted file, or with the keys at hand. */
export type SopsProblem = "syntax" | "not-encrypted" | "already-encrypted" | "tampered" | "unsupported" | "no-key" | "recipient";

/** A failure that names its cause; never a part of a secret. */
export class SopsError extends Error {
  readonly problem: SopsProblem;
  readonly fix: string | null;

  constructor(problem: SopsProblem, message: string, fix: string | null = null) {
    super(message);
    this.name = "SopsError";
    this.problem = problem;
    this.fix = fix;
  }
}
