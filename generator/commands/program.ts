import { Command, type CommandUnknownOpts, Help, Option } from "@commander-js/extra-typings";
import { version } from "../system/version.ts";
import { declareAccess } from "./access/command.ts";
import { declareBootstrap } from "./bootstrap/command.ts";
import { declareCompletion } from "./completion/command.ts";
import { declareDiff } from "./diff/command.ts";
import { declareDoctor } from "./doctor/command.ts";
import { declareEnv } from "./env/command.ts";
import { declareGenerate } from "./generate/command.ts";
import { declareGraph } from "./graph/command.ts";
import { declareHelp } from "./help/command.ts";
import { declareIdentity } from "./identity/command.ts";
import { declareImages } from "./images/command.ts";
import { declareInit } from "./init/command.ts";
import { declareInject } from "./inject/command.ts";
import type { Io } from "./io.ts";
import { declareKrm } from "./krm/command.ts";
import { declareProfile } from "./profile/command.ts";
import { declareRules } from "./rules/command.ts";
import { declareSecrets } from "./secrets/command.ts";
import { declareStatus } from "./status/command.ts";
import { declareTeardown } from "./teardown/command.ts";
import { declareValidate } from "./validate/command.ts";
import { declareVerify } from "./verify/command.ts";
import { declareWorkload } from "./workload/command.ts";

/**
 * Configures a command and its subcommands, so that each usage error ends with a fix: run the command with `--help`.
 *
 * @param line words of the command line that run the command, such as `meshops identity`
 */
function showOwnHelp(command: CommandUnknownOpts, line: string): void {
  command.showHelpAfterError(`fix: run ${line} --help`);
  for (const sub of command.commands) showOwnHelp(sub, `${line} ${sub.name()}`);
}

/** Returns the help text of an option, without the text `(default: false)` that commander adds to boolean options. */
function describeOption(option: Option): string {
  return option.isBoolean() ? option.description : new Help().optionDescription(option);
}

/** Functions that declare the commands. `meshops --help` lists the commands in this order. */
const declarations = [
  declareInit,
  declareValidate,
  declareGenerate,
  declareDiff,
  declareEnv,
  declareWorkload,
  declareImages,
  declareAccess,
  declareGraph,
  declareInject,
  declareKrm,
  declareProfile,
  declareRules,
  declareIdentity,
  declareSecrets,
  declareBootstrap,
  declareTeardown,
  declareStatus,
  declareVerify,
  declareDoctor,
  declareCompletion,
  declareHelp,
];

/**
 * Creates the command line parser and declares all commands. meshops imports the code of a command only when it runs
 * the command, so that `meshops --help` is fast.
 *
 * @param end function that is called with the exit code of the command
 */
export function createProgram(io: Io, end: (code: number) => void): CommandUnknownOpts {
  const program = new Command("meshops")
    .description(
      "Generates the files of a GitOps repository for Linkerd and its meshed services. The input is one validated spec per environment.",
    )
    .version(version)
    .addOption(new Option("-C, --directory <dir>", "root of the platform repository").default("."))
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(text.replace(/^error: /, "meshops: ").replace(/'/g, '"')),
    })
    .configureHelp({ optionDescription: describeOption })
    .helpCommand(false)
    .exitOverride();
  for (const declare of declarations) declare(program, { io, end });
  showOwnHelp(program, "meshops");
  return program;
}
