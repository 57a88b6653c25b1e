import type { Argument, CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import { compareText } from "../../system/text.ts";

/** A possible completion of the last word. */
export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/**
 * Returns the possible values of an argument or an option. Returns an empty list if meshops does not complete the
 * values of this argument or option.
 *
 * @param argument name of the argument, or the long form of the option with its dashes, such as `--linkerd`
 * @param folder folder of the platform repository
 */
export type ValuesOf = (argument: string, folder: string) => readonly Candidate[];

/**
 * Returns the possible completions of the last word. Returns an empty list if the word is the path of a file, or
 * another value that meshops does not complete. The shell then uses its own completion.
 *
 * @param words words of the command line after the name of the program. The last word ends at the cursor
 */
export function candidates(program: CommandUnknownOpts, words: readonly string[], valuesOf: ValuesOf): Candidate[] {
  const [, prefix = "", typed = ""] = /^(--[a-z-]+=)?(.*)$/s.exec(words.at(-1) ?? "") ?? [];
  // bash splits `--output=text` into the three words `--output`, `=` and `text`.
  const begun = typed === "=" ? "" : typed;
  const before = [...words.slice(0, -1), ...(prefix === "" ? [] : [prefix])];
  const line = readLine(program, before.flatMap(apart));
  return offered(line, begun, valuesOf)
    .filter(({ word }) => word.startsWith(begun))
    .map((candidate) => ({ ...candidate, word: prefix + candidate.word }))
    .sort((a, b) => compareText(a.word, b.word));
}

/**
 * Splits `--option=value` into the words `--option` and `value`. Removes the word `=`. Returns all other words
 * unchanged.
 */
function apart(word: string): string[] {
  if (word === "=") return [];
  const [, option, value] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
  return option === undefined ? [word] : [option, ...(value === undefined || value === "" ? [] : [value])];
}

/** The command, the arguments and the options in the words before the word to complete. */
interface Line {
  readonly command: CommandUnknownOpts;
  /** Arguments of the command that the user has already typed. */
  readonly given: readonly string[];
  /** Option whose value is the word to complete. Null if the word is not the value of an option. */
  readonly open: Option | null;
  /** Value of the option `--directory`, or `.` without this option. */
  readonly folder: string;
  /** Whether the words contain `--`, which ends the options. */
  readonly ended: boolean;
}

function readLine(program: CommandUnknownOpts, words: readonly string[]): Line {
  let [command, open, folder, ended]: [CommandUnknownOpts, Option | null, string, boolean] = [program, null, ".", false];
  const given: string[] = [];
  for (const word of words) {
    if (open !== null) {
      if (open.long === "--directory") folder = word;
      open = null;
    } else if (word === "--") ended = true;
    else if (word.startsWith("-") && !ended) {
      const option = optionsOf(command).find(({ short, long }) => word === short || word === long);
      open = option?.required === true ? option : null;
    } else {
      const sub = given.length === 0 ? command.commands.find((known) => known.name() === word) : undefined;
      if (sub === undefined) given.push(word);
      else command = sub;
    }
  }
  return { command, given, open, folder, ended };
}

function offered({ command, given, open, ended, folder }: Line, begun: string, valuesOf: ValuesOf): Candidate[] {
  if (open !== null)
    return open.argChoices === undefined
      ? [...valuesOf(open.long ?? "", folder)]
      : open.argChoices.map((word) => ({ word, description: "" }));
  if (begun.startsWith("-") && !ended)
    return optionsOf(command).flatMap(({ long, description, hidden }) =>
      long == null || hidden ? [] : [{ word: long, description }],
    );
  const commands = commandsOf(command);
  if (commands.length > 0 && given.length === 0) return commands;
  return argumentAt(command, given, (argument) => valuesOf(argument, folder));
}

function argumentAt(
  { registeredArguments }: CommandUnknownOpts,
  given: readonly string[],
  valuesOf: (argument: string) => readonly Candidate[],
): Candidate[] {
  const last = registeredArguments.at(-1);
  const argument: Argument | undefined = registeredArguments[given.length] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) return argument.argChoices.map((word) => ({ word, description: "" }));
  return valuesOf(argument.name()).filter(({ word }) => !given.includes(word));
}

/** Returns the subcommands of a command, without the hidden command `complete`. */
export function commandsOf({ commands }: CommandUnknownOpts): Candidate[] {
  const visible = commands.filter((command) => command.name() !== "complete");
  return visible.map((command) => ({ word: command.name(), description: command.description() }));
}

/** Returns the options of a command and of its parent commands. */
function optionsOf(command: CommandUnknownOpts): Option[] {
  const help = { long: "--help", short: "-h", description: "display help", required: false, hidden: false } as Option;
  return [...command.options, ...(command.parent === null ? [help] : optionsOf(command.parent))];
}
