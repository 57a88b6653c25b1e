import { Command, type CommandUnknownOpts, Help, Option } from "@commander-js/extra-typings";
import { version } from "../../system/version.ts";
import type { Io } from "../io.ts";
import { declareAbout } from "./about.ts";
import { declareAzure } from "./azure.ts";
import { declareBundle } from "./bundle.ts";
import { declareCluster } from "./cluster.ts";
import { declareIdentity } from "./identity.ts";
import { declarePlugin } from "./plugin.ts";
import { declareProfile } from "./profile.ts";
import { declareSecrets } from "./secrets.ts";

/** A usage error of a command refers to the help of that command. */
function showOwnHelp(command: CommandUnknownOpts, line: string): void {
  command.showHelpAfterError(`fix: ${line} --help`);
  for (const sub of command.commands) showOwnHelp(sub, `${line} ${sub.name()}`);
}

/** Commander shows `(default: false)` for every flag. */
function describeOption(option: Option): string {
  return option.isBoolean() ? option.description : new Help().optionDescription(option);
}

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

/**
 * The command line: its commands are declared here and imported when they run, so that --help loads the argument parser and nothing more.
 *
 * @param end gets the exit code of the command
 */
export function createProgram(io: Io, end: (code: number) => void): CommandUnknownOpts {
  const program = new Command("meshops")
    .description(
      "Generates everything that a GitOps repository needs to run Linkerd and the services in its mesh, from one validated environment spec.",
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
  for (const declare of topics) declare(program, { io, end });
  showOwnHelp(program, "meshops");
  return program;
}
