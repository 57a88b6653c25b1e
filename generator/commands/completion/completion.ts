import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Repository } from "../../bundle/repository.ts";
import { linkerdReleases, withName } from "../../catalog/linkerd.ts";
import { isEnvironmentName } from "../../spec/name.ts";
import { exitCode } from "../../system/errors.ts";
import { programFolder } from "../../system/program-folder.ts";
import { topics } from "../help/help.ts";
import type { Io } from "../io.ts";
import { type Candidate, candidates, commandsOf, type ValuesOf } from "./candidates.ts";

/**
 * `meshops completion <shell>`: prints the completion script for the given shell. When the user completes a word, this
 * script runs `meshops complete`.
 */
export function completion([shell = "bash"]: readonly string[], _: unknown, io: Io): number {
  io.stdout.write(readFileSync(new URL(`commands/completion/templates/${shell}.sh`, programFolder), "utf8"));
  return exitCode.ok;
}

/**
 * `meshops complete -- <word…>`: prints one possible completion per line. A line contains the word, a tab, and the
 * description of the word.
 */
export function complete(program: CommandUnknownOpts): (words: readonly string[], io: Io) => number {
  const described = (words: readonly string[], description: string): Candidate[] => words.map((word) => ({ word, description }));
  const valuesOf =
    (io: Io): ValuesOf =>
    (argument, folder) => {
      if (argument === "env" || argument === "other") return described(environmentsIn(resolve(io.cwd, folder)), "environment");
      if (argument === "--linkerd")
        return linkerdReleases.map(({ version }) => ({ word: version, description: `Linkerd ${withName(version)}` }));
      if (argument !== "topic") return [];
      const known = commandsOf(program);
      return [...known, ...described(topics(), "topic").filter(({ word }) => !known.some((command) => command.word === word))];
    };
  return (words, io) => {
    const found = candidates(program, words, valuesOf(io));
    io.stdout.write(found.map(({ word, description }) => `${word}\t${description}\n`).join(""));
    return exitCode.ok;
  };
}

/**
 * Returns the names of the environments in a folder. Returns an empty list if the folder is not a platform repository.
 */
function environmentsIn(folder: string): readonly string[] {
  try {
    // Return only valid names. The shell inserts a completion into the command line, so a name with special characters
    // could be dangerous.
    return new Repository(folder).environmentNames().filter(isEnvironmentName);
  } catch {
    return [];
  }
}
