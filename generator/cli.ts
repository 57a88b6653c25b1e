#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import { declareAbout } from "./cli/about.ts";
import { declareAzure } from "./cli/azure.ts";
import { declareBundle } from "./cli/bundle.ts";
import { declareCluster } from "./cli/cluster.ts";
import { declareIdentity } from "./cli/identity.ts";
import { declarePlugin } from "./cli/plugin.ts";
import { declareProfile } from "./cli/profile.ts";
import { declareSecrets } from "./cli/secrets.ts";
import { colorsFor } from "./colors.ts";
import { exitCode, UserError } from "./user-error.ts";
import { version } from "./version.ts";

/*
 * The voice of the terminal: the answer on stdout, all else on stderr, errors with the program's name,
 * in lower case and without a full stop; an error first, then a hint that works.
 *
 * Commands are declared here and imported when they run, so that --help loads the argument parser and nothing more.
 */

const program = new Command("meshops")
  .description("One validated environment spec becomes everything a GitOps repository needs to run Linkerd and Dgraph on AKS.")
  .version(version)
  .addOption(new Option("-C, --directory <dir>", "root of the platform repository").default("."))
  .showHelpAfterError("hint: meshops --help")
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "meshops: ").replace(/'/g, '"')) })
  .helpCommand(false)
  .exitOverride();

const topics = [
  declareBundle,
  declarePlugin,
  declareProfile,
  declareIdentity,
  declareSecrets,
  declareAzure,
  declareCluster,
  declareAbout,
];
for (const declare of topics) declare(program);

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
  const say = (message: string, hint: string | null): void => {
    process.stderr.write(`${red("meshops:")} ${message}\n${hint === null ? "" : `${cyan("hint:")} ${hint}\n`}`);
  };
  if (error instanceof UserError) {
    say(error.message, error.hint);
    return error.exitCode;
  }
  const { message, stack, syscall, path } = error as NodeJS.ErrnoException;
  // What the operating system refuses is not our bug: a full disk, a missing right.
  if (syscall !== undefined) say(path !== undefined && !message.includes(path) ? `${message}: ${path}` : message, null);
  else say(`this is a bug: ${stack ?? String(error)}`, null);
  return exitCode.problem;
}
