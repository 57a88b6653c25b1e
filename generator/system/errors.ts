/** Exit codes: a problem was found; wrong usage; a needed tool, file or cluster is missing; Ctrl-C, as shells tell it. */
export const exitCode = { ok: 0, problem: 1, usage: 2, missing: 3, interrupted: 130 } as const;

/** A failure that is the user's to mend: said in one line, with a hint, and without a stack trace. */
export class UserError extends Error {
  readonly exitCode: number;
  readonly hint: string | null;

  constructor(code: number, message: string, hint: string | null = null) {
    super(message);
    this.name = "UserError";
    this.exitCode = code;
    this.hint = hint;
  }
}
