import { type TeardownScope, teardownScript } from "../../bootstrap/teardown.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { refuseWithoutComponents, type ScriptOptions, scriptContext } from "../bootstrap/bootstrap.ts";
import type { Io } from "../io.ts";
import { loadOne, repositoryIn } from "../load.ts";
import { runScript } from "../run-script.ts";

type TeardownOptions = ScriptOptions & TeardownScope & { readonly yes: boolean };

/** `meshops teardown <env>`: prints or runs the script that deletes the environment. */
export async function teardown([name = ""]: readonly string[], options: TeardownOptions, io: Io): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  const environment = loadOne(io, repository, name);
  const { azure } = environment.spec;
  if (azure?.cluster.lifecycle !== "managed" && (options.registry || options.group))
    throw new UserError(
      exitCode.usage,
      azure === undefined
        ? `${name} is not on Azure, so it has no registry and no resource group`
        : `another tool manages the cluster of ${name} (azure.cluster.lifecycle: existing), so teardown keeps all Azure resources`,
      "remove --registry and --group",
    );
  if (options.yes && !options.run)
    throw new UserError(exitCode.usage, "--yes requires --run", "add --run, or pass --yes to the printed script");
  refuseWithoutComponents(environment);
  const script = teardownScript(environment, scriptContext(environment, options), options);
  if (options.run) return runScript(io, "teardown", script, repository.root, options.yes ? ["--yes"] : []);
  io.stdout.write(script);
  return exitCode.ok;
}
