/**
 * Exit codes. `problem`: a problem was found. `usage`: wrong usage. `missing`: a required tool, file or cluster is
 * missing. `interrupted`: interrupted with Ctrl-C (the same code as in shells).
 */
export const exitCode = { ok: 0, problem: 1, usage: 2, missing: 3, interrupted: 130 } as const;

/** A failure that the user can fix. The message is printed as one line with a fix, without a stack trace. */
export class UserError extends Error {
  readonly exitCode: number;
  readonly fix: string | null;

  constructor(code: number, message: string, fix: string | null = null) {
    super(message);
    this.name = "UserError";
    this.exitCode = code;
    this.fix = fix;
  }
}
