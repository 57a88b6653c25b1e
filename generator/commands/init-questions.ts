import { createInterface } from "node:readline/promises";
import type { Answers } from "../scaffold/answers.ts";
import { isEnvironmentName } from "../spec/name.ts";
import { exitCode, UserError } from "../user-error.ts";
import type { InitOptions } from "./init.ts";

/** What the flags do not say is asked on a terminal; elsewhere, and with `--yes`, it is as proposed. */
export async function ask(options: InitOptions, name: string): Promise<Answers> {
  const interactive = process.stdin.isTTY && process.stderr.isTTY && !options.yes;
  const terminal = interactive ? createInterface({ input: process.stdin, output: process.stderr }) : null;
  const answer = async (question: string, given: string | undefined, proposal: string): Promise<string> => {
    if (given !== undefined) return given;
    const typed = await terminal?.question(`${question} (${proposal}) `);
    return typed === undefined || typed.trim() === "" ? proposal : typed.trim();
  };
  try {
    const cluster = await answer(
      "Shall meshops make an AKS cluster, or is there one of your own? aks or own",
      options.cluster,
      "aks",
    );
    const environments = await answer("Environments, separated by commas", options.environments, "dev,production");
    const url = await answer("URL of this repository, as Flux clones it", options.gitUrl, `https://github.com/acme/${name}`);
    return {
      name,
      cluster: kindOf(cluster),
      environments: namesIn(environments),
      url: asUrl(url),
      branch: options.branch ?? "main",
    };
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
    throw new UserError(exitCode.interrupted, "nothing was written");
  } finally {
    terminal?.close();
  }
}

/** Git's short form of an SSH URL, `git@host:path`, written out, as Flux wants it. */
function asUrl(text: string): string {
  return text.replace(/^([\w.-]+@[\w.-]+):(?!\/)(.+)$/, "ssh://$1/$2");
}

function kindOf(text: string): Answers["cluster"] {
  if (text === "aks" || text === "own") return text;
  throw new UserError(exitCode.usage, `there is no kind of cluster "${text}"`, "aks or own");
}

function namesIn(text: string): Answers["environments"] {
  const [first, ...others] = [...new Set(text.split(",").map((name) => name.trim()))].filter(Boolean);
  if (first === undefined) throw new UserError(exitCode.usage, "no environment was named", "--environments dev,production");
  const wrong = [first, ...others].find((name) => !isEnvironmentName(name));
  if (wrong !== undefined)
    throw new UserError(
      exitCode.usage,
      `an environment cannot be named "${wrong}"`,
      "at most 40 lower-case letters, digits and dashes",
    );
  if ([first, ...others].includes("base"))
    throw new UserError(exitCode.usage, "base is what all environments extend", "take another name");
  return [first, ...others];
}
