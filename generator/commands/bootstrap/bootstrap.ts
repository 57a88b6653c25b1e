import { bootstrapScript } from "../../bootstrap/bootstrap.ts";
import { envFile } from "../../bootstrap/env-file.ts";
import { modelOf } from "../../components/build.ts";
import { isDelivered } from "../../components/model.ts";
import type { Environment } from "../../spec/environment.generated.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import type { Io } from "../io.ts";
import { type DirectoryOption, loadOne, repositoryIn } from "../load.ts";
import { runScript } from "../run-script.ts";

export interface ScriptOptions extends DirectoryOption {
  /** Whether to run the script. If false, the script is printed. */
  readonly run: boolean;
  /** kubectl context of a cluster that is not on Azure. */
  readonly context?: string;
}

/**
 * `meshops bootstrap <env>`: prints or runs the script that creates the environment. With `--env`, prints environment
 * variables for manual steps.
 */
export async function bootstrap(
  [name = ""]: readonly string[],
  options: ScriptOptions & { readonly env: boolean; readonly upgradeFlux: boolean },
  io: Io,
): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  const environment = loadOne(io, repository, name);
  if (options.env) {
    const text = envFile(environment);
    if (text === null)
      throw new UserError(
        exitCode.problem,
        `${name} is not on Azure, but --env prints variables only for environments on Azure`,
        "remove --env",
      );
    io.stdout.write(text);
    return exitCode.ok;
  }
  refuseWithoutComponents(environment);
  const script = bootstrapScript(environment, { context: scriptContext(environment, options), upgradeFlux: options.upgradeFlux });
  if (options.run) return runScript(io, "bootstrap", script, repository.root);
  io.stdout.write(script);
  return exitCode.ok;
}

/** @throws UserError (problem) if other tools provide the cluster and every component of the environment */
export function refuseWithoutComponents(environment: Environment): void {
  if (environment.spec.azure !== undefined || modelOf(environment).components.some(isDelivered)) return;
  const { name } = environment.metadata;
  throw new UserError(
    exitCode.problem,
    `meshops installs no component of environment ${name}, because other tools install all components`,
    `to see the state of the components, run meshops status ${name} or meshops verify ${name}`,
  );
}

/**
 * Returns the kubectl context that the option `--context` specifies. Without this option, returns the context in
 * `spec.cluster`. Returns null if neither the option nor the spec specifies a context, or if the environment is on
 * Azure.
 *
 * @throws UserError (usage) if `--context` is set and the environment is on Azure, because the context then always has
 * the name of the cluster
 */
export function scriptContext({ metadata, spec }: Environment, { context }: ScriptOptions): string | null {
  if (spec.azure === undefined) return context ?? spec.cluster.context ?? null;
  if (context === undefined) return null;
  throw new UserError(
    exitCode.usage,
    `--context cannot be used for ${metadata.name}: on Azure, the kubectl context always has the name of the AKS cluster`,
    "remove --context",
  );
}
