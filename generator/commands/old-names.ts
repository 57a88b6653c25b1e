/** A command or option that was renamed. After the renaming, the old name continues to work for one minor version. */
interface Renamed {
  /** Command of the renamed option. */
  readonly command: string;
  readonly from: string;
  /** New name. Empty if meshops no longer needs the option. meshops then ignores the old option. */
  readonly to: string;
  /** First version that does not accept the old name. */
  readonly until: string;
}

const renamedCommands: readonly Omit<Renamed, "command">[] = [{ from: "identity export", to: "identity age-key", until: "0.3" }];

const renamedOptions: readonly Renamed[] = [
  { command: "identity age-key", from: "--age-key", to: "", until: "0.3" },
  { command: "identity rotate-anchor", from: "--force", to: "--pods-restarted", until: "0.3" },
  { command: "graph", from: "--format", to: "--output", until: "0.3" },
  { command: "graph", from: "-f", to: "-o", until: "0.3" },
  { command: "status", from: "--namespace", to: "--flux-namespace", until: "0.3" },
  { command: "status", from: "-n", to: "--flux-namespace", until: "0.3" },
  { command: "verify", from: "--namespace", to: "--flux-namespace", until: "0.3" },
  { command: "verify", from: "-n", to: "--flux-namespace", until: "0.3" },
  { command: "verify", from: "--keep", to: "--keep-probes", until: "0.3" },
  { command: "verify", from: "--timeout", to: "--probe-timeout", until: "0.3" },
];

/** A command line in which the old names of commands and options are replaced with the new names. */
interface Current {
  readonly argv: readonly string[];
  /** One message for each old name that was replaced with a new name. */
  readonly notes: readonly string[];
}

/**
 * Replaces the old names of commands and options in a command line with the new names.
 *
 * @param argv arguments of the command line, without the program name
 */
export function withCurrentNames(argv: readonly string[]): Current {
  const begin = commandAt(argv);
  const words = argv.slice(begin);
  const command = renamedCommands.find(({ from }) => startsWith(words, from));
  const named = command === undefined ? words : [...command.to.split(" "), ...words.slice(command.from.split(" ").length)];
  const notes = command === undefined ? [] : [noteOf(command)];
  const end = named.includes("--") ? named.indexOf("--") : named.length;
  const current = named.flatMap((word, index) => {
    const option =
      index < end ? renamedOptions.find((each) => startsWith(named, each.command) && isOption(word, each.from)) : undefined;
    if (option === undefined) return [word];
    if (option.to !== "") notes.push(noteOf(option));
    return replaced(word, option);
  });
  return { argv: [...argv.slice(0, begin), ...current], notes };
}

/** Returns the index of the first word of the command, after `-C <dir>` and other global options. */
function commandAt(argv: readonly string[]): number {
  let index = 0;
  while (argv[index]?.startsWith("-") === true) index += ["-C", "--directory"].includes(argv[index] ?? "") ? 2 : 1;
  return index;
}

function startsWith(words: readonly string[], command: string): boolean {
  return command.split(" ").every((word, index) => words[index] === word);
}

/** Returns whether a word is the option `name`, with or without a value: `--name`, `--name=value`, `-nvalue`. */
function isOption(word: string, name: string): boolean {
  return word === name || (name.startsWith("--") ? word.startsWith(`${name}=`) : word.startsWith(name) && !word.startsWith("--"));
}

function replaced(word: string, { from, to }: Renamed): string[] {
  if (to === "") return [];
  const value = word.slice(from.length).replace(/^=/, "");
  return value === "" ? [to] : [to, value];
}

function noteOf({ from, to, until }: Omit<Renamed, "command">): string {
  return `${from} was renamed to ${to}. The old name still works, but meshops ${until} will not accept it`;
}
