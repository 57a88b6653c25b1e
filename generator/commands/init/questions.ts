import { isEnvironmentName } from "../../spec/name.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import type { Answers } from "./answers.ts";
import type { InitOptions } from "./options.ts";

/**
 * Returns the settings of the new repository. If stdin and stderr are terminals, asks the user for the options that are
 * not set, and repeats a question if the answer is invalid. Otherwise, or with `--yes`, uses the default values for
 * these options.
 *
 * @param name name of the platform
 * @param path path of the new repository inside the Git repository that contains it
 */
export async function ask(io: Io, options: InitOptions, name: string, path: string): Promise<Answers> {
  const interactive = io.stdin.isTTY && io.stderr.isTTY && !options.yes;
  const terminal = interactive ? await io.stdin.prompt() : null;
  const answer = async <T>(
    question: string,
    given: string | undefined,
    byDefault: string,
    read: (text: string) => T,
  ): Promise<T> => {
    if (given !== undefined || terminal === null) return read(given ?? byDefault);
    const typed = (await terminal.question(`${question} (${byDefault}) `)).trim();
    try {
      return read(typed === "" ? byDefault : typed);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      io.stderr.write(`${error.message}: ${error.fix}\n`);
      return answer(question, given, byDefault, read);
    }
  };
  const kind = "Cluster: aks (meshops bootstrap creates an AKS cluster) or own (you provide an existing cluster)";
  try {
    const cluster = await answer(kind, options.cluster, "aks", kindOf);
    const environments = await answer("Environments, separated by commas", options.environments, "dev,production", namesIn);
    const proposed = `https://github.com/acme/${name}`;
    const url = await answer("URL that Flux uses to clone this repository", options.gitUrl, proposed, asUrl);
    return {
      name,
      cluster,
      environments,
      url,
      branch: options.branch ?? "main",
      path,
      client: clientOf(options, cluster),
      database: options.database,
      existingLinkerd: options.existingLinkerd,
    };
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
    throw new UserError(exitCode.interrupted, "nothing written");
  } finally {
    terminal?.close();
  }
}

/**
 * Returns the test client that the option `--with-client` specifies, or null without this option.
 *
 * @throws UserError (usage) if `--no-dgraph` is also set, if `--with-client` has no value for the cluster `own`, or if
 * it has a value for the cluster `aks`
 */
function clientOf({ withClient, database }: InitOptions, cluster: Answers["cluster"]): Answers["client"] {
  if (withClient === undefined) return null;
  if (!database)
    throw new UserError(
      exitCode.usage,
      "the test client requires the database Dgraph",
      "remove --with-client, or remove --no-dgraph",
    );
  if (cluster === "own" && withClient === true)
    throw new UserError(
      exitCode.usage,
      "--with-client requires the name of an image: bootstrap builds the image of the test client only on AKS",
      "specify the image name, without a tag, to which you push the test client: --with-client registry.example.com/test-client",
    );
  if (cluster === "aks" && withClient !== true)
    throw new UserError(
      exitCode.usage,
      "--with-client must have no value: on AKS, bootstrap builds the image of the test client",
      "use --with-client without an image",
    );
  return { image: withClient === true ? null : withClient };
}

/**
 * Returns a Git URL in a form that Flux accepts. Converts the short form of an SSH URL (`git@host:path`) to the full
 * form (`ssh://git@host/path`).
 */
function asUrl(text: string): string {
  return text.replace(/^([\w.-]+@[\w.-]+):(?!\/)(.+)$/, "ssh://$1/$2");
}

function kindOf(text: string): Answers["cluster"] {
  if (text === "aks" || text === "own") return text;
  throw new UserError(exitCode.usage, `unknown kind of cluster "${text}"`, "use aks or own");
}

function namesIn(text: string): Answers["environments"] {
  const [first, ...others] = [...new Set(text.split(",").map((name) => name.trim()))].filter(Boolean);
  if (first === undefined)
    throw new UserError(
      exitCode.usage,
      "no environment was specified",
      "specify at least one environment: --environments dev,production",
    );
  const wrong = [first, ...others].find((name) => !isEnvironmentName(name));
  if (wrong !== undefined)
    throw new UserError(
      exitCode.usage,
      `an environment cannot be named "${wrong}"`,
      "use at most 40 lower-case letters, digits and dashes",
    );
  if ([first, ...others].includes("base"))
    throw new UserError(exitCode.usage, '"base" is reserved for the spec that all environments extend', "choose another name");
  return [first, ...others];
}
