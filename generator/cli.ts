import { CommanderError } from "commander";
import { program } from "./commands/cli/program.ts";
import { colorsFor } from "./commands/terminal/colors.ts";
import { exitCode, UserError } from "./system/errors.ts";

/*
 * The voice of the terminal: the answer on stdout, all else on stderr, errors with the program's name,
 * in lower case and without a full stop; an error first, then a fix that works.
 */

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode ?? exitCode.ok); // the reader has seen enough
  process.exit(report(error));
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

/** Says what went wrong, on stderr; returns the exit code. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const { red, cyan } = colorsFor(process.stderr);
  const say = (text: string, fix: string | null): void => {
    // Errors of libraries may repeat what they were given.
    const message = text.replace(/AGE-SECRET-KEY-1\w*/gi, "AGE-SECRET-KEY-1…");
    process.stderr.write(`${red("meshops:")} ${message}\n${fix === null ? "" : `${cyan("fix:")} ${fix}\n`}`);
  };
  if (error instanceof UserError) {
    say(error.message, error.fix);
    return error.exitCode;
  }
  const { message, stack, syscall, path } = error as NodeJS.ErrnoException;
  // What the operating system refuses is not our bug: a full disk, a missing right.
  if (syscall !== undefined) say(path !== undefined && !message.includes(path) ? `${message}: ${path}` : message, null);
  else say(`this is a bug: ${stack ?? String(error)}`, null);
  return exitCode.problem;
}
