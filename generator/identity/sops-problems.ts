import { SopsError } from "../sops/error.ts";
import { exitCode, UserError } from "../system/errors.ts";

/**
 * Runs an action on an encrypted file, and returns its result. If the action throws a SopsError, throws a UserError
 * whose message contains the path of the file. The exit code is `missing` if no key can decrypt the file, and `problem`
 * otherwise.
 */
export async function asUserError<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    const code = error.problem === "no-key" ? exitCode.missing : exitCode.problem;
    throw new UserError(code, `${path}: ${error.message}`, error.fix);
  }
}
