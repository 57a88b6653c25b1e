import { CommanderError } from "commander";
import { exitCode, UserError } from "../system/errors.ts";
import { masked } from "../system/text.ts";
import type { Io } from "./io.ts";
import { withCurrentNames } from "./old-names.ts";
import { createProgram } from "./program.ts";

/**
 * Runs a command line and returns the exit code. Prints results to stdout, and all other output to stderr. An error
 * message starts with `meshops:`, is in lower case, and has no full stop at the end. If a fix is known, the fix is on
 * the next line.
 *
 * @param argv arguments of the command line, without the program name
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code: number = exitCode.ok;
  const current = withCurrentNames(argv);
  for (const note of current.notes) io.stderr.write(`${note}\n`);
  try {
    await createProgram(io, (ended) => {
      code = ended;
    }).parseAsync([...current.argv], { from: "user" });
    return code;
  } catch (error) {
    return reportError(error, io);
  }
}

/**
 * Prints an error to stderr.
 *
 * @returns the exit code
 */
export function reportError(error: unknown, { stderr }: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const { red, cyan } = stderr.colors;
  const print = (text: string, fix: string | null): void => {
    // Remove private keys from the message, because the error message of a library can contain a part of its input.
    stderr.write(`${red("meshops:")} ${masked(text)}\n${fix === null ? "" : `${cyan("fix:")} ${fix}\n`}`);
  };
  if (error instanceof UserError) {
    print(error.message, error.fix);
    return error.exitCode;
  }
  const { message, stack, syscall, path } = error as NodeJS.ErrnoException;
  // An error of the operating system, such as a full disk or a missing permission, is not a bug of meshops.
  if (syscall !== undefined) print(path !== undefined && !message.includes(path) ? `${message}: ${path}` : message, null);
  else print(`this is a bug: ${stack ?? String(error)}`, null);
  return exitCode.problem;
}
