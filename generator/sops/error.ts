/** Kinds of problems with an encrypted file or with the available keys. */
export type SopsProblem = "syntax" | "not-encrypted" | "already-encrypted" | "tampered" | "unsupported" | "no-key" | "recipient";

/** An error with the kind of the problem and a fix. The message never contains a part of a secret. */
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
