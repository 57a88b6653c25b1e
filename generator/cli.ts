#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import pc from "picocolors";
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
  .exitOverride();

const output = (...choices: string[]): Option =>
  new Option("-o, --output <format>", "how to print").choices(choices).default("text");

program
  .command("validate")
  .description("check the environment specs and report every problem at once")
  .argument("[env...]", "environments; all where none is named")
  .addOption(output("text", "json"))
  .action(run(async (names, options) => (await import("./commands/validate.ts")).validate(names, options)));

program
  .command("generate")
  .description("write helmfile.yaml, overlays/ and flux/ from the specs")
  .argument("[env...]", "environments; all where none is named")
  .option("--check", "write nothing, and exit 1 where the bundle is not what the specs say", false)
  .option("--stdout", "write nothing, and print the bundle as one YAML stream", false)
  .option("--force", "overwrite files that meshops did not write", false)
  .addOption(output("text", "json"))
  .action(run(async (names, options) => (await import("./commands/generate.ts")).generate(names, options)));

program
  .command("images")
  .description("list every image that the environments run")
  .argument("[env...]", "environments; all where none is named")
  .option("--mirror", "print the commands that copy them into the environment's registry", false)
  .addOption(output("text", "json"))
  .action(run(async (names, options) => (await import("./commands/images.ts")).images(names, options)));

/** Wraps a command so that what it returns becomes the exit code. */
// biome-ignore lint/suspicious/noExplicitAny: commander does not know the options' types
function run(command: (names: string[], options: any) => Promise<number>): (...args: any[]) => Promise<void> {
  return async (names: string[], _: unknown, self: Command) => {
    process.exitCode = await command(names, self.optsWithGlobals());
  };
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error; // the reader has seen enough
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const { red, cyan } = pc;
  if (error instanceof UserError) {
    process.stderr.write(`${red("meshops:")} ${error.message}\n${error.hint === null ? "" : `${cyan("hint:")} ${error.hint}\n`}`);
    return error.exitCode;
  }
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code !== undefined && /^E[A-Z]+$/.test(code)) {
    process.stderr.write(`${red("meshops:")} ${message}\n`);
    return exitCode.problem;
  }
  process.stderr.write(`${red("meshops:")} this is a bug: ${stack ?? String(error)}\n`);
  return exitCode.problem;
}
