import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { stateFolderIn } from "../bootstrap/state.ts";
import { contextOf } from "../bundle/emit/names.ts";
import type { Repository } from "../bundle/repository.ts";
import type { Environment } from "../spec/environment.generated.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { loadAll } from "./context.ts";
import type { Io } from "./io.ts";

/** Options that select a cluster. */
export interface ConnectionFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
}

/**
 * Returns the kubeconfig and the context to use. The result depends on the options:
 *
 * - `--kubeconfig` is not set: if KUBECONFIG is also not set, returns the kubeconfig that the bootstrap script wrote.
 *   If this file does not exist, or if KUBECONFIG is set, returns null, and the default of kubectl applies.
 * - `--context` is not set: returns the name of the Azure cluster as the context. If the environment is not on Azure,
 *   returns null, and the current context applies.
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
  return { kubeconfig: chosen, context: context ?? contextOf(environment) };
}

/**
 * Returns the name of the only environment that is not abstract.
 *
 * @throws UserError (usage) if the repository contains no such environment, or several such environments
 */
export function onlyOne(repository: Repository): string {
  const { loaded } = loadAll(repository, []);
  const [first, ...others] = loaded.filter(({ abstract }) => !abstract).map(({ name }) => name);
  if (first !== undefined && others.length === 0) return first;
  throw new UserError(exitCode.usage, "no environment was specified", `specify one of ${[first, ...others].join(", ")}`);
}
