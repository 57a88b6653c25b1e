import { SopsError } from "../sops/error.ts";
import { exitCode, UserError } from "../system/errors.ts";

/** Runs something with an encrypted file, and says of what goes wrong which file it was. A key that is missing is a thing that is missing. */
export async function asUserError<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    const code = error.problem === "no-key" ? exitCode.missing : exitCode.problem;
    throw new UserError(code, `${path}: ${error.message}`, error.fix);
  }
}
