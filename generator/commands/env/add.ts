import { didYouMean } from "../../diagnostics/suggest.ts";
import { loadEnvironment } from "../../lint/load.ts";
import { specFile } from "../../spec/layout.ts";
import { isEnvironmentName } from "../../spec/name.ts";
import { asMap } from "../../system/data.ts";
import { exitCode, UserError } from "../../system/errors.ts";
import { pathWithin, writeAtomic } from "../../system/files.ts";
import { withLock } from "../../system/lock.ts";
import { type DirectoryOption, repositoryIn } from "../context.ts";
import { platformName } from "../init/answers.ts";
import { environmentSpec } from "../init/specs.ts";
import type { Io } from "../io.ts";

type AddOptions = DirectoryOption & { readonly extends: string };

/** `meshops env add <env>`: writes a spec that extends another one, and prints the commands that come next. */
export async function add([name = ""]: readonly string[], options: AddOptions, io: Io): Promise<number> {
  const repository = repositoryIn(io, options.directory);
  refuseUnlessFree(name, repository.environmentNames());
  const base = repository.source(options.extends);
  if (base === null)
    throw new UserError(
      exitCode.usage,
      `there is no ${specFile(options.extends)} to extend`,
      didYouMean(options.extends, repository.environmentNames()) ?? "name another spec with --extends",
    );
  const onAzure = "azure" in asMap(asMap(base.value)["spec"]);
  return withLock(repository.root, async () => {
    const platform = platformName(repository.root.split(/[/\\]/).at(-1) ?? "");
    const [path, text] = environmentSpec(name, { platform, cluster: onAzure ? "aks" : "own", base: options.extends });
    writeAtomic(pathWithin(repository.root, path), text);
    const { diagnostics } = loadEnvironment(name, repository.source);
    // The recipients of the keys are added by the next command.
    const open = diagnostics.filter(({ code }) => code !== "missing-key");
    io.stdout.write(`create  ${path}\n\nnext:\n`);
    for (const step of [
      ...(open.length === 0 ? [] : [`meshops validate ${name}, and correct ${path}`]),
      `meshops identity keygen ${name} --write`,
      `meshops identity init ${name}`,
      "meshops generate",
      "git add --all, commit and push",
      `meshops bootstrap ${name} --run`,
      `meshops status ${name} --watch`,
    ])
      io.stdout.write(`  ${step}\n`);
    return exitCode.ok;
  });
}

/** @throws UserError (usage) if a name is not allowed, or is taken */
export function refuseUnlessFree(name: string, taken: readonly string[]): void {
  if (!isEnvironmentName(name))
    throw new UserError(
      exitCode.usage,
      `"${name}" is not a name for an environment`,
      "use lower-case letters, digits and dashes, such as staging",
    );
  if (taken.includes(name))
    throw new UserError(exitCode.usage, `${specFile(name)} already exists`, "use another name, or edit that file");
}
