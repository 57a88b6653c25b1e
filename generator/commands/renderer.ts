import { exitCode, UserError } from "../system/errors.ts";
import { type ProgramOptions, runProgram } from "../system/process.ts";

/** Result of a run of helm or kustomize: the output on stdout, or a text that describes why the program failed. */
type Rendered = { readonly stdout: string; readonly failure: null } | { readonly failure: string };

/**
 * Runs helm or kustomize and returns the result.
 *
 * @throws UserError (missing) if the program is not on the PATH
 */
export async function runRenderer(
  program: "helm" | "kustomize",
  args: readonly string[],
  options: Pick<ProgramOptions, "cwd" | "env" | "input">,
): Promise<Rendered> {
  const { stdout, stderr, code, absent } = await runProgram(program, args, options);
  if (absent)
    throw new UserError(
      exitCode.missing,
      `${program} is not on the PATH`,
      "run meshops doctor, which shows how to install the program",
    );
  return code === 0 ? { stdout, failure: null } : { failure: stderr.trim() || `exit status ${code}` };
}
