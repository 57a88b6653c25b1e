import { type Extent, teardownScript } from "../bootstrap/teardown.ts";
import { Repository } from "../bundle/repository.ts";
import { exitCode, UserError } from "../system/errors.ts";
import { contextOf, type ScriptOptions } from "./bootstrap.ts";
import { loadOne } from "./context.ts";
import { runScript } from "./run-script.ts";

type TeardownOptions = ScriptOptions & Extent & { readonly yes: boolean };

/** `meshops teardown <env>`: prints the script that takes the environment down, or runs it. */
export async function teardown([name = ""]: readonly string[], options: TeardownOptions): Promise<number> {
  const repository = new Repository(options.directory);
  const environment = loadOne(repository, name);
  if (environment.spec.azure === undefined && (options.registry || options.group))
    throw new UserError(exitCode.usage, `${name} is not on Azure: it has no registry or resource group`);
  if (options.yes && !options.run)
    throw new UserError(exitCode.usage, "--yes needs --run", "the printed script takes --yes itself");
  const script = teardownScript(environment, contextOf(environment, options), options);
  if (options.run) return runScript("teardown", script, repository.root, options.yes ? ["--yes"] : []);
  process.stdout.write(script);
  return exitCode.ok;
}
