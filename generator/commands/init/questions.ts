import { isEnvironmentName } from "../../spec/name.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import type { Answers } from "./answers.ts";
import type { InitOptions } from "./options.ts";

/** What the flags do not say is asked on a terminal, again where an answer will not do; elsewhere, and with `--yes`, it is as proposed. */
export async function ask(io: Io, options: InitOptions, name: string): Promise<Answers> {
  const interactive = io.stdin.isTTY && io.stderr.isTTY && !options.yes;
  const terminal = interactive ? await io.stdin.prompt() : null;
  const answer = async <T>(
    question: string,
    given: string | undefined,
    proposal: string,
    read: (text: string) => T,
  ): Promise<T> => {
    if (given !== undefined || terminal === null) return read(given ?? proposal);
    const typed = (await terminal.question(`${question} (${proposal}) `)).trim();
    try {
      return read(typed === "" ? proposal : typed);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      io.stderr.write(`${error.message}: ${error.fix}\n`);
      return answer(question, given, proposal, read);
    }
  };
  const whose = "Shall meshops make an AKS cluster, or is there one of your own? aks or own";
  try {
    const cluster = await answer(whose, options.cluster, "aks", kindOf);
    const environments = await answer("Environments, separated by commas", options.environments, "dev,production", namesIn);
    const proposed = `https://github.com/acme/${name}`;
    const url = await answer("URL of this repository, as Flux clones it", options.gitUrl, proposed, asUrl);
    return { name, cluster, environments, url, branch: options.branch ?? "main" };
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
