import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { stateFolderIn } from "../bootstrap/state.ts";
import { kubeContextOf } from "../bundle/emit/names.ts";
import type { Repository } from "../bundle/repository.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../system/errors.ts";
import type { Io } from "./io.ts";
import { loadAll } from "./load.ts";

/** Options that select a cluster. */
export interface ConnectionFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/**
 * Returns the path of the kubeconfig and the name of the context for the cluster of an environment. A value from the
 * options has priority. If an option is not set, the result is:
 *
 * - `kubeconfig`: the kubeconfig that the bootstrap script wrote, if this file exists and KUBECONFIG is not set.
 *   Otherwise null, which means that kubectl's default applies.
 * - `context`: the context of the environment's cluster (see `kubeContextOf`). If it is null, the current context applies.
 */
export function connectionOf(
  { env, cwd }: Io,
  environment: Environment,
  { kubeconfig, context }: ConnectionFlags,
): { kubeconfig: string | null; context: string | null } {
  const written = join(stateFolderIn(env), environment.metadata.name, "kubeconfig");
  const chosen =
    kubeconfig !== undefined
      ? resolve(cwd, kubeconfig)
      : (env["KUBECONFIG"] ?? "") === "" && existsSync(written)
        ? written
        : null;
  return { kubeconfig: chosen, context: context ?? kubeContextOf(environment) };
}

/**
 * Returns the name of the only environment that is not abstract.
 *
 * @throws UserError (usage) if all environments are abstract, or if several environments are not abstract
 */
export function soleEnvironment(repository: Repository): string {
  const { loaded } = loadAll(repository, []);
  const [first, ...others] = loaded.filter(({ abstract }) => !abstract).map(({ name }) => name);
  if (first === undefined)
    throw new UserError(exitCode.usage, "all specs are abstract", "run meshops env add to create an environment");
  if (others.length === 0) return first;
  throw new UserError(exitCode.usage, "no environment was specified", `specify one of ${[first, ...others].join(", ")}`);
}
